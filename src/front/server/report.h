// The reports of a running server: log lines as in perlipc on standard error, JSON on standard
// output.
#pragma once

#include "cli/line_queue.h"
#include "cli/options.h"
#include "server/server.h"

#include <optional>
#include <string>

namespace ipcbox::front {

class ServerReport : public server::ServerEvents {
  public:
    // Signals have to be blocked already, including SIGPIPE. UNWRITTEN are the lines that our
    // former image left.
    enum class Json { no, yes };
    ServerReport(const cli::Verbosity& verbosity, Json json, std::string unwritten = {});

    // "server started on port 2345 at DATE"
    void server_started(const std::vector<net::Listener>& listeners);

    void connected(const server::Connection& connection) override;
    void started(const server::Connection& connection) override;
    void ended(const server::Connection& connection, const server::ConnectionEnd& end) override;
    void refused(const server::Connection& connection, const std::string& why) override;
    void trouble(const std::string& what) override;
    void named(const std::string& ip, const std::string& name) override;
    void table(const std::vector<server::Connection>& connections) override;
    void draining() override;
    void alive() override;

    // Waits at most a second until all lines are written.
    void flush();
    // For the time when we become another program: takes the JSON that its reader has not read yet,
    // and puts it back.
    [[nodiscard]] std::string take_unwritten();
    void write_again(std::string unwritten);
    // Whether JSON was lost.
    [[nodiscard]] bool failed();

  private:
    // "NAME PID: TEXT"
    void log(const std::string& text);
    void print_json(const server::Connection& connection, const server::ConnectionEnd& end);

    const cli::Verbosity verbosity_;
    cli::LineQueue log_;
    std::optional<cli::LineQueue> json_;
};

} // namespace ipcbox::front
