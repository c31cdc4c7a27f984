// Remembers the events of a server.
#pragma once

#include "core/deadline.h"
#include "server/events.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ipcbox::test {

// The events of a server, as words: "connected", "started", "ended 3".
class ServerRecord : public server::ServerEvents {
  public:
    void connected(const server::Connection&) override { add("connected"); }
    void started(const server::Connection&) override { add("started"); }
    void ended(const server::Connection&, const server::ConnectionEnd& end) override {
        add(end.status ? "ended " + std::to_string(end.status->as_exit_status()) : "ended");
    }
    void refused(const server::Connection&, const std::string& why) override {
        add("refused: " + why);
    }
    void trouble(const std::string& what) override { add("trouble: " + what); }
    void named(const std::string&, const std::string&) override {}
    void table(const std::vector<server::Connection>& all) override {
        add("table of " + std::to_string(all.size()));
    }
    void draining() override { add("draining"); }
    void alive() override {}

    // All words so far.
    [[nodiscard]] std::vector<std::string> told() const {
        const std::lock_guard lock{mutex_};
        return told_;
    }
    [[nodiscard]] bool has(const std::string& word) const {
        const auto all = told();
        return std::ranges::find(all, word) != all.end();
    }
    void wait_for(const std::string& word) const {
        const auto deadline = Deadline::after(std::chrono::seconds{30});
        while (!has(word) && !deadline.passed())
            std::this_thread::yield();
        CAPTURE(fmt::format("{}", fmt::join(told(), ", ")));
        REQUIRE(has(word));
    }

  private:
    void add(std::string word) {
        const std::lock_guard lock{mutex_};
        told_.push_back(std::move(word));
    }
    mutable std::mutex mutex_;
    std::vector<std::string> told_;
};

} // namespace ipcbox::test
