// The service of command-server: its options, its file of commands, and the processes that serve
// its clients (front/server/command_session.h).
#pragma once

#include "front/server/command_plan.h"
#include "front/server/options.h"

namespace ipcbox::front {

class CommandService : public OwnService {
  public:
    explicit CommandService(std::string_view applet) : applet_(applet) {}

    void declare(cli::Options& options) override;
    [[nodiscard]] bool prepare(ServerOptions& asked) override;
    void check_restart() override;

  private:
    // Reads the files into a plan. Throws Error.
    [[nodiscard]] CommandPlan read() const;

    std::string applet_;
    std::string file_;
    std::vector<std::string> definitions_;
    std::string token_file_;
    std::optional<std::size_t> max_line_;
    bool check_ = false;
    bool loose_ = false;
    bool iterative_ = false;
    bool all_interfaces_ = false;
    bool json_protocol_ = false;
    bool without_builtins_ = false;
    bool quiet_ = false;
    bool keeps_environment_ = false;
    std::optional<Duration> idle_;
    Fd memory_; // the plan, for the sessions
};

} // namespace ipcbox::front
