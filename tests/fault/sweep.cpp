#include "fault/sweep.h"

#include "core/error.h"
#include "harness/injected_fault.h"
#include "sysv/key.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/shm.h>

namespace ipcbox::test {

namespace {

constexpr std::initializer_list<const char*> all_errors{
    "ENOMEM",       "EMFILE",     "ENFILE",      "ENOSPC",      "EACCES",       "EIDRM",
    "EAGAIN",       "EIO",        "EPERM",       "E2BIG",       "EROFS",        "EINTR",
    "SHORT",        "ENOBUFS",    "ENOLCK",      "ENODATA",     "EOPNOTSUPP",   "ENOENT",
    "ENOSYS",       "ENOTTY",     "ENOTCONN",    "ENOPROTOOPT", "EADDRINUSE",   "EADDRNOTAVAIL",
    "EAFNOSUPPORT", "ECONNRESET", "ENETUNREACH", "EPIPE",       "ECONNABORTED", "ECONNREFUSED"};

// No applet makes more calls that can return the same errno.
constexpr int max_calls = 300;

// The values of a set as a text. If there is no set, the text says so.
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

// Everything that an applet could leave behind, but for processes.
std::string state(const Scenario& scenario) {
    std::string text;
    for (const auto& key : {scenario.key(), scenario.name()})
        text += fmt::format("{}: {}, {}\n", key, semaphores(key), segment(key));
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{scenario.path("")})
        files.push_back(entry.path().string());
    std::ranges::sort(files);
    return fmt::format("{}files: {}\n", text, fmt::join(files, " "));
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

Result run_command(Scenario& scenario, const Sweep& sweep, pid_t owner) {
    const auto words = with_names(sweep.command, scenario, owner);
    if (sweep.place == Place::pipes) return scenario.run(words, sweep.input);
    // The calls of the outer pty-run do not fail.
    return scenario.shell(R"(fault=$IPCBOX_FAULT
                             unset IPCBOX_FAULT
                             exec pty-run --split-stderr -- \
                                 env IPCBOX_FAULT="$fault" "$IPCBOX_BINARY" "$@")",
                          words, sweep.input);
}

// process-alive may not signal the process.
bool is_not_ours(const std::string& applet, int status) {
    constexpr int not_ours = 2;
    return applet == "process-alive" && status == not_ours;
}

// timeout-run had to send KILL, because it had no permission to send the signal before it.
bool was_killed(const std::string& applet, int status, const std::string& fired) {
    return applet == "timeout-run" && status == 128 + SIGKILL &&
           fired.starts_with("pidfd_send_signal");
}

bool is_of_the_contract(const Words& command, int status, const std::string& fired) {
    constexpr int unknown = 4; // LSB: of a daemon
    if (command.back() == "--status" && status == unknown) return true;
    if (is_not_ours(command.front(), status)) return true;
    if (was_killed(command.front(), status, fired)) return true;
    // We failed to write, and the command died of the pipe that we then did not read.
    if (status == 128 + SIGPIPE && fired.starts_with("write")) return true;
    constexpr std::array statuses{exit_status::done,           exit_status::failed,
                                  exit_status::timed_out,      exit_status::before_command,
                                  exit_status::cannot_execute, exit_status::not_found};
    return std::ranges::find(statuses, status) != statuses.end();
}

// Whether each line is from the applet, and no line came without a failure. If the failed call
// wrote to standard error, the line may be missing.
bool explains(const Result& result, const std::string& applet, const std::string& fired) {
    // timeout-run prints nothing when the time is up.
    const bool is_time_up = was_killed(applet, result.status, fired) ||
                            (applet == "timeout-run" && result.status == exit_status::timed_out);
    if (result.err.empty())
        return result.status == 0 || is_time_up || is_not_ours(applet, result.status) ||
               fired.starts_with("write");
    return result.err.starts_with(applet + ": ") && std::ranges::count(result.err, '\n') == 1 &&
           result.err.ends_with('\n');
}

// Runs the sweep's command with one fault. False when no call was left to fail.
bool fails_somewhere(const Sweep& sweep, const std::string& fault) {
    INFO("sweep: ", std::string{sweep.what});
    CAPTURE(fault);
    Scenario scenario;
    auto owner = scenario.start({"cat"});
    for (const auto& words : sweep.before)
        REQUIRE(scenario.run(with_names(words, scenario, owner.pid())).status == 0);
    const auto before = state(scenario);
    // Some of these may be about to end.
    const auto running_before = running_children();
    const auto runs_no_more = [&] {
        return owner.is_running() && std::ranges::all_of(running_children(), [&](pid_t pid) {
                   return std::ranges::find(running_before, pid) != running_before.end();
               });
    };
    Result result;
    const auto fired =
        with_fault(scenario, fault, [&] { result = run_command(scenario, sweep, owner.pid()); });
    if (fired.empty()) return false;
    CAPTURE(fired);
    CAPTURE(result.err);
    CAPTURE(result.status);
    CHECK(is_of_the_contract(sweep.command, result.status, fired));
    CHECK(explains(result, sweep.command.front(), fired));
    if (result.status == 0) return true;
    // Wait: a process that has got a signal may need a moment to end.
    if (sweep.failure == Failure::changes_nothing) {
        CHECK(eventually([&] { return runs_no_more() && state(scenario) == before; }));
        return true;
    }
    if (sweep.failure == Failure::may_do_a_part) {
        CHECK(run_command(scenario, sweep, owner.pid()).status == 0);
        const auto all = state(scenario);
        CHECK(run_command(scenario, sweep, owner.pid()).status == 0);
        CHECK(state(scenario) == all);
        return true;
    }
    // Whatever else stays, a process that was started has to end.
    if (sweep.failure == Failure::may_come_late) CHECK(eventually(runs_no_more));
    const auto after = state(scenario);
    if (after != before && sweep.failure == Failure::may_leave_to_next_run) {
        (void)run_command(scenario, sweep, owner.pid());
        CHECK(eventually([&] { return runs_no_more() && state(scenario) == before; }));
    } else if (after != before) {
        CHECK(run_command(scenario, sweep, owner.pid()).status == 0);
        CHECK(eventually([&] { return runs_no_more() && state(scenario) == after; }));
    }
    return true;
}

} // namespace

// init reaps those that have ended, so they are no concern of the applet.
std::vector<pid_t> running_children() {
    // When a process ends while we look, its children become ours: look until nothing changes.
    for (auto children = children_of(::getpid());;) {
        auto running = children;
        std::erase_if(running, has_ended);
        auto now = children_of(::getpid());
        if (now == children) return running;
        children = std::move(now);
    }
}

std::vector<const char*> swept_errors(std::initializer_list<const char*> usual) {
    return std::getenv("IPCBOX_CAMPAIGN") != nullptr ? all_errors : usual;
}

int sweep_calls(const std::vector<const char*>& errors,
                const std::function<bool(const std::string& fault)>& fails_somewhere) {
    int runs = 0;
    for (const char* const error : errors)
        for (const char* const process : {"", "child"}) {
            int number = 1;
            while (number <= max_calls &&
                   fails_somewhere(fmt::format("*={}@{}{}", error, process, number)))
                ++number;
            CHECK(number <= max_calls);
            runs += number - 1;
        }
    return runs;
}

void run_sweeps(const std::vector<Sweep>& sweeps, std::initializer_list<const char*> errors) {
    const auto swept = swept_errors(errors);
    int runs = 0;
    for (const auto& sweep : sweeps) {
        const int of_this = sweep_calls(
            swept, [&sweep](const std::string& fault) { return fails_somewhere(sweep, fault); });
        // Should the campaign be interrupted, these are done.
        if (swept.size() > errors.size()) {
            MESSAGE(std::string{sweep.what}, ": ", of_this, " calls failed");
            std::fflush(stdout);
        }
        runs += of_this;
    }
    MESSAGE(sweeps.size(), " commands, ", runs, " calls failed");
}

} // namespace ipcbox::test
