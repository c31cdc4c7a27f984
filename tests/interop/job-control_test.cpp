// A supervised command at a terminal, under the job control of an interactive shell. It reads typed
// text, Ctrl-C ends it, and Ctrl-Z, bg and fg work as without a supervisor.
#include "harness/scenario.h"
#include "harness/terminal_shell.h"

#include "core/number.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

const std::string server = "forking-tcp-server --notify-fd 3 127.0.0.1:0 -- cat 2>log 3>ready";

} // namespace

TEST_CASE("the command reads the terminal, and Ctrl-C ends it") {
    Scenario scenario;
    TerminalShell shell;
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
    TerminalShell shell;
    shell.type("timeout-run 1000 sh -c 'echo st\"\"arted; exec cat'\n");
    shell.stop_started_job();
    shell.continue_and_end_cat("timeout-run 1000");
}

TEST_CASE("a command in the background stops when it reads, and fg lets it read") {
    Scenario scenario;
    TerminalShell shell;
    shell.type("timeout-run 1000 cat &\n");
    shell.wait_for_text("ready> ");
    // Wait here, because the shell reports the stop only at a prompt.
    shell.type("until jobs | grep -q Stopped; do :; done; echo st\"\"opped\n");
    shell.wait_for_text("stopped");
    shell.type("fg\n");
    shell.wait_for_text("timeout-run 1000 cat");
    shell.type("typed\n");
    shell.wait_for_text("typed"); // the echo of the typed line
    shell.wait_for_text("typed");
    shell.type("\x04");
    shell.wait_for_text("ready> ");
}

TEST_CASE("in a pipeline, the other programs keep the terminal") {
    Scenario scenario;
    TerminalShell shell;
    shell.type("timeout-run 1000 sh -c 'read word; echo got $word' | cat\n");
    shell.type("hello\n");
    shell.wait_for_text("got hello");
    shell.wait_for_text("ready> ");
    shell.expect("echo \"status ${PIPESTATUS[0]}\"", "status 0");
}

TEST_CASE("a server ends when its terminal has hung up") {
    Scenario scenario;
    TerminalShell shell;
    REQUIRE(scenario.shell("mkfifo ready").status == 0);
    const auto has_started = [&](std::ptrdiff_t times) {
        return eventually([&] {
            return scenario.shell("grep -c 'server started' log").out == fmt::format("{}\n", times);
        });
    };
    const auto start = [&](const std::string& line) {
        shell.type(line + "\n");
        REQUIRE(scenario.shell("grep -q listening ready").status == 0);
        REQUIRE(has_started(1));
    };
    SUBCASE("in the foreground") {
        start("sh -c 'echo $$ >pid; exec " + server + "'");
    }
    SUBCASE("as the leader of the session") {
        start("echo $$ >pid; exec " + server);
    }
    SUBCASE("in the background, after a HUP from its shell, which is an order to restart") {
        start(server + " &");
        shell.type("echo $! >pid; kill -HUP $!\n");
        REQUIRE(has_started(2));
    }
    const auto pid = whole_number<pid_t>(scenario.shell("tr -d '\\n' <pid").out).value();
    shell.hang_up();
    CHECK(ends(pid));
}
