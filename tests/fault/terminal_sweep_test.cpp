// The sweep for what a person types. One system call after another of an applet that runs on a
// terminal, and that gets keys there, fails once. Whatever fails, the applet ends in time. The work
// is done and the status is 0, or one line says why not. The terminal is as it was before.
#include "fault/sweep.h"
#include "harness/environment.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/pty.h"
#include "core/terminal.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// A terminal and the person in front of it.
class Person {
  public:
    [[nodiscard]] std::string terminal() const { return ::ttyname(pty_.terminal.get()); }
    // Reads what has come. Whether TEXT is in it, behind what was found before.
    [[nodiscard]] bool sees(std::string_view text) {
        std::array<char, 4096> bytes{};
        ssize_t size = 0;
        while ((size = ::read(pty_.master.get(), bytes.data(), bytes.size())) > 0)
            seen_.append(bytes.data(), static_cast<std::size_t>(size));
        const auto at = seen_.find(text, from_);
        if (at == std::string::npos) return false;
        from_ = at + text.size();
        return true;
    }
    void type(std::string_view keys) const {
        write_all(pty_.master.get(), keys, "the terminal", Deadline::never());
    }
    [[nodiscard]] bool finds_terminal_as_before() const {
        const auto now = terminal_settings(pty_.terminal.get());
        return now && now->c_lflag == before_.c_lflag && now->c_iflag == before_.c_iflag &&
               now->c_oflag == before_.c_oflag;
    }
    [[nodiscard]] const std::string& seen() const { return seen_; }

  private:
    Pty pty_ = open_pty({24, 80});
    termios before_ = *terminal_settings(pty_.terminal.get());
    std::string seen_;
    std::size_t from_ = 0;
};

// What the person does once TEXT is on the screen.
struct Step {
    std::string text;
    std::string keys;
    int signal = 0; // from another process
};

// Where the command runs.
enum class Home {
    none,
    shell,        // a shell that continues it when it has stopped
    no_more_pidfd // a process without a descriptor for one; EMFILE is not swept then
};

struct SweptTerminal {
    Words command;
    std::vector<Step> steps;
    std::string result;               // is on the screen at the end
    const char* impossible = nullptr; // cannot happen
    Home home = Home::none;
};

std::string line_of(const Fd& client) {
    std::string line;
    char letter = 0;
    while (::recv(client.get(), &letter, 1, 0) == 1 && letter != '\n')
        line += letter;
    return line;
}

bool is_stopped(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG) == 0 &&
           info.si_pid == pid;
}

// Continues a job whenever it has stopped (128 + STOP, TSTP).
constexpr const char* job = R"(set -m; "$@"; status=$?
    while [ $status = 147 ] || [ $status = 148 ]; do fg >/dev/null; status=$?; done
    exit $status)";
constexpr std::string_view no_pidfd = "pidfd_open: EMFILE\n";

// Runs the command with one fault. False when no call was left to fail.
bool fails_somewhere(const SweptTerminal& swept, const std::string& fault) {
    CAPTURE(fmt::format("{}", fmt::join(swept.command, " ")));
    CAPTURE(fault);
    Scenario scenario;
    Person person;
    const auto& applet = swept.command.front();
    const auto mark = std::filesystem::path{scenario.path("..")} / "mark";
    const bool lacks_pidfd = swept.home == Home::no_more_pidfd;
    Words words{person.terminal(), lacks_pidfd ? "pidfd_open=EMFILE%1," + fault : fault};
    if (swept.home == Home::shell)
        words.insert(words.end(), {"setsid", "--ctty", "sh", "-c", job, "sh"});
    words.insert(words.end(), swept.command.begin(), swept.command.end());
    const Variable where{"IPCBOX_FAULT_MARK", mark.string()};
    const Variable state{"XDG_STATE_HOME", scenario.path("state")};
    auto process = scenario.start_shell(
        R"(tty=$1; export IPCBOX_FAULT="$2"; shift 2; exec "$@" <>"$tty" >&0)", words);
    auto step = swept.steps.begin();
    const bool ends = eventually([&] {
        if (is_stopped(process.pid())) {
            CHECK(person.finds_terminal_as_before());
            process.kill(SIGCONT);
        }
        if (step != swept.steps.end() && person.sees(step->text)) {
            person.type(step->keys);
            if (step->signal != 0) process.kill(step->signal);
            ++step;
        }
        return !process.is_running();
    });
    if (!ends) process.kill(SIGKILL);
    const auto result = process.wait();
    auto fired = std::filesystem::exists(mark)
                     ? read_to_end(open_file(mark.string(), O_RDONLY).get(), 100'000, "mark")
                     : std::string{};
    while (lacks_pidfd && fired.starts_with(no_pidfd))
        fired.erase(0, no_pidfd.size());
    CAPTURE(fired);
    CAPTURE(person.seen());
    CAPTURE(result.err);
    CAPTURE(result.status);
    CHECK(ends);
    CHECK(person.finds_terminal_as_before());
    CHECK(eventually([] { return running_children().empty(); }));
    if (fired.empty()) CHECK(result.status == 0);
    if (result.status == 0) {
        // The kernel hands what was written to the terminal over in a thread of its own.
        CHECK(eventually([&] { return person.sees(swept.result); }));
        CHECK(result.err.empty());
    } else {
        CHECK(result.err.starts_with(applet + ": "));
        CHECK(std::ranges::count(result.err, '\n') == 1);
    }
    return !fired.empty();
}

} // namespace

TEST_CASE("no matter what fails, keys reach a program, or one line says why not") {
    const Peer server{[](const Fd& client) {
        say(client, "name: ");
        const auto name = line_of(client);
        say(client, "hello " + name + "\n");
    }};
    const std::string reader = "printf up; read line; echo got $line";
    const std::vector<SweptTerminal> all{
        {{"pty-run", "sh", "-c", reader}, {{"up", "text\r"}}, "got text"},
        {{"pty-run", "sh", "-c", reader},
         {{"up", "\x1atext\r"}},
         "got text",
         // What we could stop, we can continue.
         "EPERM"},
        {{"timeout-run", "100", "sh", "-c", reader},
         {{"up", "\x1atext\r"}},
         "got text",
         "EPERM",
         Home::shell},
        {{"pty-expect", "-q", "-e", "up", "-i", "sh", "-c", reader},
         {{"up", "text\r"}},
         "got text"},
        {{"tcp-interact", "-q", server.text()}, {{"name: ", "text\r"}}, "hello text"},
        {{"tcp-interact", "-q", server.text()},
         {{"name: ", "te"}, {"name: te", "", SIGTSTP}, {"name: te", "xt\r"}},
         "hello text"},
        {{"tcp-interact", "-q", server.text()},
         {{"name: ", "\x1dl"}, {"file: ", "log\r"}, {"name: ", "text\r"}},
         "hello text"},
        {{"tcp-interact", "-q", fmt::format("localhost:{}", server.address().port())},
         {{"name: ", "text\r"}},
         "hello text"},
        {{"tcp-interact", "-q", "--twin", server.text()}, {{"name: ", "text\n"}}, "hello text"},
        {{"tcp-interact", "-q", "--twin", server.text()},
         {{"name: ", "text\n"}},
         "hello text",
         "EMFILE",
         Home::no_more_pidfd},
    };
    const auto errors = swept_errors({"ENOMEM", "EMFILE", "EIO"});
    int runs = 0;
    for (const auto& swept : all) {
        auto possible = errors;
        // After a real one of the first two, the next read would fail as well, but after an
        // injected one it does not.
        for (const char* const error : {"ECONNRESET", "EPIPE", swept.impossible})
            if (error != nullptr) std::erase(possible, std::string_view{error});
        runs += sweep_calls(
            possible, [&swept](const std::string& fault) { return fails_somewhere(swept, fault); });
    }
    MESSAGE(all.size(), " commands on a terminal, ", runs, " calls failed");
}
