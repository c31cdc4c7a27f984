// An interactive shell on a terminal, for tests of job control.
//
//     TerminalShell shell;
//     shell.type("timeout-run 1000 sh -c 'echo st\"\"arted; exec cat'\n");
//     shell.wait_for_text("started"); // which the typed line, echoed, does not contain
#pragma once

#include "core/child.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/poll.h"

#include <array>
#include <cstdlib>
#include <pty.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace ipcbox::test {

// bash(1) on a pseudo-terminal.
class TerminalShell {
  public:
    TerminalShell() {
        int master = -1;
        const pid_t pid = ::forkpty(&master, nullptr, nullptr, nullptr);
        if (pid < 0) throw std::runtime_error("no pseudo-terminal");
        if (pid == 0) {
            ::setenv("PS1", "ready> ", 1);
            ::execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", nullptr);
            ::_exit(127);
        }
        child_ = Child{pid};
        master_ = Fd::adopt(master);
        wait_for_text("ready> ");
    }

    void type(const std::string& text) { write_all(master_.get(), text, "the terminal"); }

    // Throws if the text does not come within 30 s.
    void wait_for_text(const std::string& text) {
        const auto deadline = Deadline::after(std::chrono::seconds{30});
        while (seen_.find(text) == std::string::npos) {
            if (!wait_for(master_.get(), POLLIN, deadline))
                throw std::runtime_error("not '" + text + "' on the terminal, but: " + seen_);
            std::array<std::byte, 4096> bytes{};
            const auto count = read_some(master_.get(), bytes, "the terminal");
            for (std::size_t at = 0; at < count; ++at)
                seen_ += static_cast<char>(bytes[at]);
        }
        seen_.erase(0, seen_.find(text) + text.size());
    }

    // Types LINE at the prompt, and waits until it prints TEXT.
    void expect(const std::string& line, const std::string& text) {
        type(line + "\n");
        wait_for_text("\n"); // the echo of LINE
        wait_for_text(text);
    }

    // Closes the terminal, as when its window is closed.
    void hang_up() { master_ = Fd{}; }

    // Waits for "started", which the job in the foreground prints, and presses Ctrl-Z.
    void stop_started_job() {
        wait_for_text("started");
        type("\x1a");
        wait_for_text("Stopped");
        wait_for_text("ready> ");
    }
    // Continues the stopped job, which is a `cat`, and ends it. COMMAND is a part of its line.
    void continue_and_end_cat(const std::string& command) {
        type("fg\n");
        wait_for_text(command);
        type("again\n");
        wait_for_text("again"); // the echo of the typed line
        wait_for_text("again");
        type("\x04");
        wait_for_text("ready> ");
        expect("echo status $?", "status 0");
    }

  private:
    Fd master_;
    Child child_;
    std::string seen_;
};

} // namespace ipcbox::test
