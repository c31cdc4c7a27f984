// Each system call of an applet fails once, in its turn and with each errno that the kernel could
// return there: the Nth call for N = 1, 2 and so on, until there is none left to fail. Whatever
// fails, the applet ends in time with a status of the contract and at most one line with the
// reason, and leaves everything as it was before.
#include "core/error.h"
#include "core/io.h"
#include "harness/environment.h"
#include "harness/scenario.h"
#include "sysv/key.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/shm.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// What a failure may leave changed.
enum class Failure {
    changes_nothing,
    may_come_late, // the work was done and only its report was lost; doing it again changes nothing
    // The removal itself failed. The next run takes over what is left, and removes it.
    may_leave_to_next_run
};

struct Sweep {
    const char* what;
    std::vector<Words> before; // run without faults
    Words command;
    const char* input = "";
    Failure failure = Failure::changes_nothing;
};

// KEY and NAME are the scenario's key and @name, OWNER the number of a process that waits for us.
// To have an applet's calls fail, add a line.
const std::vector<Sweep>& sweeps() {
    static const std::vector<Sweep> all{
        {"sem-create", {}, {"sem-create", "KEY"}, "", Failure::may_come_late},
        {"sem-create -n", {}, {"sem-create", "-n", "3", "NAME"}, "", Failure::may_come_late},
        {"sem-create again",
         {{"sem-create", "-n", "3", "NAME"}},
         {"sem-create", "-J", "-n", "3", "NAME"}},
        {"sem-create --resize",
         {{"sem-create", "-n", "3", "NAME"}},
         {"sem-create", "--resize", "5", "NAME"},
         "",
         Failure::may_come_late},
        {"sem-take", {{"sem-create", "KEY"}}, {"sem-take", "KEY"}},
        {"sem-take of several", {{"sem-create", "-n", "3", "NAME"}}, {"sem-take", "NAME"}},
        {"sem-take -J", {{"sem-create", "-n", "3", "NAME"}}, {"sem-take", "-J", "NAME"}},
        {"sem-take when taken",
         {{"sem-create", "KEY"}, {"sem-take", "KEY"}},
         {"sem-take", "-n", "KEY"}},
        {"sem-take -j",
         {},
         {"sem-take", "-j", "2", "NAME", "--", "true"},
         "",
         Failure::may_come_late},
        {"sem-take with a command", {{"sem-create", "KEY"}}, {"sem-take", "KEY", "--", "true"}},
        {"sem-take --hold-for",
         {{"sem-create", "KEY"}},
         {"sem-take", "--hold-for", "OWNER", "KEY"}},
        {"sem-take --hold-for, of several",
         {{"sem-create", "-n", "3", "NAME"}},
         {"sem-take", "--hold-for", "OWNER", "NAME"}},
        {"sem-take -s", {{"sem-create", "KEY"}}, {"sem-take", "-s", "KEY", "--", "true"}},
        {"sem-take -s of several",
         {{"sem-create", "-n", "3", "NAME"}},
         {"sem-take", "-s", "NAME", "--", "true"}},
        {"sem-take --wait-all",
         {{"sem-create", "-n", "3", "NAME"}},
         {"sem-take", "--wait-all", "-J", "NAME"}},
        {"sem-give", {{"sem-create", "KEY"}, {"sem-take", "KEY"}}, {"sem-give", "KEY"}},
        {"sem-give to several",
         {{"sem-create", "-n", "3", "NAME"}, {"sem-take", "NAME"}},
         {"sem-give", "NAME"}},
        {"sem-give when not taken", {{"sem-create", "KEY"}}, {"sem-give", "KEY"}},
        {"timeout-run", {}, {"timeout-run", "100", "true"}},
        {"open3-run", {}, {"open3-run", "+x", "-q", "echo", "a"}},
        {"open3-run --split-dir",
         {{"open3-run", "--split-dir", "dir", "--tee-out", "copy", "true"}},
         {"open3-run", "--split-dir", "dir", "--tee-out", "copy", "echo", "a"}},
        {"lock-run", {{"lock-run", "lock", "true"}}, {"lock-run", "lock", "true"}},
        {"lock-run -o", {{"lock-run", "lock", "true"}}, {"lock-run", "-o", "lock", "true"}},
        {"pipe-run", {}, {"pipe-run", "--", "echo", "text", "--then", "cat"}},
        {"pipe-run --retry-fork",
         {},
         {"pipe-run", "--retry-fork", "1:1ms", "--", "echo", "text", "--then", "cat"}},
        {"pipe-run --atomic --tee",
         {{"pipe-run", "-o", "file", "--", "echo", "old"}},
         {"pipe-run", "--atomic", "file", "--tee", "/dev/null", "--", "echo", "new"}},
        {"safe-write",
         {{"safe-write", "file"}},
         {"safe-write", "-b", "file"},
         "some text",
         Failure::may_come_late},
        {"safe-write --no-clobber",
         {},
         {"safe-write", "-n", "file"},
         "some text",
         Failure::may_come_late},
        {"safe-write --append",
         {{"safe-write", "file"}},
         {"safe-write", "-a", "file"},
         "some text"},
        {"safe-write with a command", {}, {"safe-write", "--", "true"}},
        {"magic-cat",
         {{"pipe-run", "-o", "file", "--", "echo", "text"}},
         {"magic-cat", "--fail-fast", "file", "echo text|", "-"},
         "input"},
        {"open2-run", {}, {"open2-run", "--", "echo", "text", "--with", "cat"}},
        {"open2-run --ask", {}, {"open2-run", "--ask", "text", "--", "cat"}},
        {"magic-cat --net, and nobody listens", {}, {"magic-cat", "--net", "unix:nobody"}},
        {"command-server --check",
         {},
         {"command-server", "--check", "--command", "true=true {1:int 1-9}"}},
        {"magic-cat -n", {}, {"magic-cat", "-n", "echo text|"}},
        {"pty-run", {}, {"pty-run", "true"}},
        {"pty-run -p", {}, {"pty-run", "-p", "cat"}, "text\n"},
        {"pty-expect",
         {},
         {"pty-expect", "-t", "300ms", "-e", "^", "-s", "\\x04", "--log", "log", "cat"},
         "",
         Failure::may_come_late},
        {"pty-expect --record",
         {},
         {"pty-expect", "-t", "300ms", "--no-echo", "--record", "script", "sed", "d"},
         "a\n",
         Failure::may_come_late},
        {"reap-run", {}, {"reap-run", "--", "true"}},
        {"daemon-run",
         {},
         {"daemon-run", "-o", "out", "--settle", "9", "true"},
         "",
         Failure::may_come_late},
        {"daemon-run -p",
         {},
         {"daemon-run", "-p", "pid", "--settle", "9", "true"},
         "",
         Failure::may_leave_to_next_run},
        {"signal-run", {}, {"signal-run", "--ignore", "HUP", "true"}},
        {"signal-run beside its command", {}, {"signal-run", "--log", "true"}},
        {"signal-send", {}, {"signal-send", "-CONT", "OWNER"}},
        {"signal-show", {}, {"signal-show", "OWNER"}},
        {"process-wait", {}, {"process-wait", "-t", "0", "OWNER"}},
        {"tcp-interact, and nobody listens", {}, {"tcp-interact", "unix:nobody"}},
        {"ipc-list", {{"sem-create", "-n", "3", "NAME"}}, {"ipc-list", "--sem", "NAME"}},
        {"ipc-list --limits", {}, {"ipc-list", "--limits", "--warn", "100"}},
        {"ipc-remove", {{"sem-create", "KEY"}}, {"ipc-remove", "--yes", "--sem", "KEY"}},
        {"ipc-remove of what is taken",
         {{"sem-create", "KEY"}, {"sem-take", "KEY"}},
         {"ipc-remove", "--yes", "KEY"}},
        {"shm-demo", {}, {"shm-demo"}},
        {"shm-demo --key", {}, {"shm-demo", "--key", "KEY"}},
        {"shm-write",
         {{"shm-write", "--create", "--size", "100", "NAME"}},
         {"shm-write", "NAME"},
         "some text"},
        {"shm-write --create", {}, {"shm-write", "--create", "--size", "9", "NAME"}, "some text"},
        {"shm-write --truncate",
         {{"shm-write", "--create", "--size", "100", "NAME"}},
         {"shm-write", "--truncate", "NAME"},
         "some text"},
        {"shm-write --stream without a reader",
         {},
         {"shm-write", "--stream", "-w", "0", "NAME"},
         "some text",
         Failure::may_leave_to_next_run},
        {"shm-read", {{"shm-write", "--create", "--size", "9000", "KEY"}}, {"shm-read", "KEY"}},
    };
    return all;
}

constexpr std::array errors{ENOMEM, EMFILE, ENFILE, ENOSPC, EACCES, EIDRM,
                            EAGAIN, EIO,    EPERM,  E2BIG,  EROFS};

// No applet makes more calls than this that can return the same errno.
constexpr int max_calls = 300;

// The values of a set as text, or a text that there is no set.
std::string semaphores(const std::string& key) {
    const int id = ::semget(sysv::Key::parse(key).value(), 0, 0);
    if (id < 0) return "no set";
    semid_ds status{};
    ::semctl(id, 0, IPC_STAT, &status);
    std::vector<unsigned short> values(status.sem_nsems);
    ::semctl(id, 0, GETALL, values.data());
    return fmt::format("{}", fmt::join(values, " "));
}

std::string segment(const std::string& key) {
    const int id = ::shmget(sysv::Key::parse(key).value(), 0, 0);
    return id < 0 ? "no segment" : fmt::format("segment {}", id);
}

// Everything that an applet could leave behind.
std::string state(const Scenario& scenario) {
    std::string text;
    for (const auto& key : {scenario.key(), scenario.name()})
        text += fmt::format("{}: {}, {}\n", key, semaphores(key), segment(key));
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{scenario.path("")})
        files.push_back(entry.path().string());
    std::ranges::sort(files);
    const auto path = fmt::format("/proc/self/task/{}/children", ::getpid());
    return fmt::format("{}files: {}\nchildren: {}\n", text, fmt::join(files, " "),
                       read_to_end(open_file(path, O_RDONLY).get(), 100'000, path));
}

Words with_names(Words words, const Scenario& scenario, pid_t owner) {
    for (auto& word : words)
        if (word == "KEY")
            word = scenario.key();
        else if (word == "NAME")
            word = scenario.name();
        else if (word == "OWNER")
            word = fmt::format("{}", owner);
    return words;
}

bool is_of_the_contract(int status) {
    constexpr std::array statuses{exit_status::done,           exit_status::failed,
                                  exit_status::timed_out,      exit_status::before_command,
                                  exit_status::cannot_execute, exit_status::not_found};
    return std::ranges::find(statuses, status) != statuses.end();
}

// Each line is from the applet, and none without a failure; the failed call may be that of stderr.
bool explains(const Result& result, const std::string& applet, const std::string& fired) {
    if (result.err.empty()) return result.status == 0 || fired.starts_with("write");
    return result.err.starts_with(applet + ": ") && std::ranges::count(result.err, '\n') == 1 &&
           result.err.ends_with('\n');
}

// Runs the sweep's command with one fault; false when no call was left to fail.
bool fails_somewhere(const Sweep& sweep, const std::string& fault) {
    Scenario scenario;
    auto owner = scenario.start({"cat"});
    for (const auto& words : sweep.before)
        REQUIRE(scenario.run(with_names(words, scenario, owner.pid())).status == 0);
    const auto before = state(scenario);
    // Beside the working directory, which is watched.
    const auto mark = std::filesystem::path{scenario.path("..")} / "mark";
    Result result;
    {
        const Variable which{"IPCBOX_FAULT", fault};
        const Variable where{"IPCBOX_FAULT_MARK", mark.string()};
        result = scenario.run(with_names(sweep.command, scenario, owner.pid()), sweep.input);
    }
    if (!std::filesystem::exists(mark)) return false;
    const auto fired = read_to_end(open_file(mark.string(), O_RDONLY).get(), 100'000, "mark");
    INFO("sweep: ", std::string{sweep.what});
    CAPTURE(fault);
    CAPTURE(fired);
    CAPTURE(result.err);
    CAPTURE(result.status);
    CHECK(is_of_the_contract(result.status));
    CHECK(explains(result, sweep.command.front(), fired));
    if (result.status == 0) return true;
    // A process that was told to end may need a moment.
    if (sweep.failure == Failure::changes_nothing) {
        CHECK(eventually([&] { return state(scenario) == before; }));
        return true;
    }
    const auto after = state(scenario);
    if (after != before && sweep.failure == Failure::may_leave_to_next_run) {
        (void)scenario.run(with_names(sweep.command, scenario, owner.pid()), sweep.input);
        CHECK(state(scenario) == before);
    } else if (after != before) {
        CHECK(scenario.run(with_names(sweep.command, scenario, owner.pid())).status == 0);
        CHECK(state(scenario) == after);
    }
    return true;
}

} // namespace

TEST_CASE("no matter what fails, one line reports it and nothing is left behind") {
    for (const auto& sweep : sweeps())
        for (const int error : errors)
            for (const char* const process : {"", "child"}) {
                int number = 1;
                while (number <= max_calls &&
                       fails_somewhere(sweep, fmt::format("*={}@{}{}", strerrorname_np(error),
                                                          process, number)))
                    ++number;
                CHECK(number <= max_calls);
            }
}

TEST_CASE("the shipped binary has no fault injector") {
    const auto has_injector = [](const char* variable) {
        const char* const path = std::getenv(variable);
        REQUIRE(path != nullptr);
        constexpr std::size_t limit = 256UL * 1024 * 1024;
        const auto program = read_to_end(open_file(path, O_RDONLY).get(), limit, path);
        return program.find("IPCBOX_FAULT") != std::string::npos;
    };
    CHECK(has_injector("IPCBOX_BINARY"));
    CHECK_FALSE(has_injector("IPCBOX_SHIPPED"));
}
