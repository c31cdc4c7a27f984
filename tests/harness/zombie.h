// A zombie that stays for as long as a test needs it.
#pragma once

#include "core/process_stat.h"
#include "harness/scenario.h"

#include <stdexcept>
#include <string>

namespace ipcbox::test {

// A child of a shell. The shell becomes sleep(1), which waits for no child. The child ends only
// after that, because the shell might still wait for it.
struct Zombie {
    explicit Zombie(Scenario& scenario)
        : parent(scenario.start_shell("mkfifo end; (read line <end) & echo $!; exec sleep 1000")),
          pid(parent.line()) {
        const auto is_sleep = [this] {
            const auto stat = read_process_stat(parent.pid());
            return stat && stat->name == "sleep";
        };
        const auto has_ended = [this] {
            const auto stat = read_process_stat(static_cast<pid_t>(std::stoi(pid)));
            return stat && stat->has_ended();
        };
        if (!eventually(is_sleep) || scenario.shell("echo >end").status != 0 ||
            !eventually(has_ended))
            throw std::runtime_error("there is no zombie");
    }

    Process parent;
    std::string pid;
};

} // namespace ipcbox::test
