// A supervised command at a terminal, under the job control of an interactive shell: it reads what
// is typed, Ctrl-C ends it, and Ctrl-Z, bg and fg work as if there were no supervisor.
#include "core/child.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <pty.h>
#include <stdexcept>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

// bash(1) on a pseudo-terminal.
class Shell {
  public:
    Shell() {
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

    // Throws if that does not come within 30 s.
    void wait_for_text(const std::string& text) {
        const auto deadline = Deadline::after(30s);
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

    // A line typed at the prompt, and the words that it prints.
    void expect(const std::string& line, const std::string& text) {
        type(line + "\n");
        wait_for_text("\n"); // the echo
        wait_for_text(text);
    }

  private:
    Fd master_;
    Child child_;
    std::string seen_;
};

} // namespace

TEST_CASE("the command reads the terminal, and Ctrl-C ends it") {
    Scenario scenario;
    Shell shell;
    shell.type("timeout-run 1000 sh -c 'echo st\"\"arted; read word; echo got $word; exec cat'\n");
    shell.wait_for_text("started");
    shell.type("hello\n");
    shell.wait_for_text("got hello");
    shell.type("\x03");
    shell.wait_for_text("ready> ");
    shell.expect("echo status $?", "status 130");
}

TEST_CASE("Ctrl-Z stops the command and its supervisor, and fg continues both") {
    Scenario scenario;
    Shell shell;
    shell.type("timeout-run 1000 sh -c 'echo st\"\"arted; exec cat'\n");
    shell.wait_for_text("started");
    shell.type("\x1a");
    shell.wait_for_text("Stopped");
    shell.wait_for_text("ready> ");
    shell.type("fg\n");
    shell.wait_for_text("timeout-run 1000");
    shell.type("again\n");
    shell.wait_for_text("again"); // the echo
    shell.wait_for_text("again");
    shell.type("\x04");
    shell.wait_for_text("ready> ");
    shell.expect("echo status $?", "status 0");
}

TEST_CASE("a command in the background stops when it reads, and fg lets it read") {
    Scenario scenario;
    Shell shell;
    shell.type("timeout-run 1000 cat &\n");
    shell.wait_for_text("ready> ");
    // The shell reports the stop at a prompt.
    shell.type("until jobs | grep -q Stopped; do :; done; echo st\"\"opped\n");
    shell.wait_for_text("stopped");
    shell.type("fg\n");
    shell.wait_for_text("timeout-run 1000 cat");
    shell.type("typed\n");
    shell.wait_for_text("typed"); // the echo
    shell.wait_for_text("typed");
    shell.type("\x04");
    shell.wait_for_text("ready> ");
}

TEST_CASE("in a pipeline, the other programs keep the terminal") {
    Scenario scenario;
    Shell shell;
    shell.type("timeout-run 1000 sh -c 'read word; echo got $word' | cat\n");
    shell.type("hello\n");
    shell.wait_for_text("got hello");
    shell.wait_for_text("ready> ");
    shell.expect("echo \"status ${PIPESTATUS[0]}\"", "status 0");
}
