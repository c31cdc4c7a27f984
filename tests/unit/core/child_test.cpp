#include "core/child.h"
#include "core/pidfd.h"
#include "core/program.h"
#include "core/spawn.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "harness/scenario.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;
using test::Scenario;
using test::Words;

namespace {

Deadline soon() {
    return Deadline::after(30s);
}

// Sets $PATH. The Scenario restores the real one.
void set_path(const std::string& path) {
    ::setenv("PATH", path.c_str(), 1);
}

int status_of_find(const std::string& name) {
    try {
        (void)find_program(name);
    } catch (const Error& error) {
        return error.status();
    }
    return 0;
}

// The text that a command prints on standard output.
std::string output_of(const Words& words) {
    Pipe pipe = make_pipe();
    Child child = spawn(find_program(words[0]), words, {.output = pipe.writer.get()});
    pipe.writer = Fd{};
    auto text = read_to_end(pipe.reader.get(), 65536, "a pipe", soon());
    CHECK(child.wait_until(soon())->succeeded());
    return text;
}

constexpr auto blocked_line = "SigBlk:\t";
constexpr auto ignored_line = "SigIgn:\t";

std::string signal_line(const std::string& status, std::string_view line) {
    const auto at = status.find(line);
    return status.substr(at + line.size(), 16);
}

} // namespace

TEST_CASE("programs are found along PATH, as a shell does it") {
    const Scenario scenario;
    for (const char* directory : {"one", "two", "three"})
        REQUIRE(::mkdir(scenario.path(directory).c_str(), 0700) == 0);
    scenario.write_file("two/tool", "#!/bin/sh\n");
    scenario.write_file("three/tool", "#!/bin/sh\n");
    REQUIRE(::chmod(scenario.path("three/tool").c_str(), 0700) == 0);
    const auto one = scenario.path("one");
    const auto two = scenario.path("two");
    const auto three = scenario.path("three");

    set_path(fmt::format("{}:{}:{}", one, two, three));
    CHECK(find_program("tool") == three + "/tool"); // skips the one that cannot be executed
    set_path(fmt::format("{}:{}", one, two));
    CHECK(status_of_find("tool") == 126);
    set_path(one);
    CHECK(status_of_find("tool") == 127);
    CHECK(status_of_find("") == 127);
    set_path(fmt::format("{}/none:{}/two/tool:{}", one, scenario.path(""), three));
    CHECK(find_program("tool") == three + "/tool");

    // An empty entry, at any place, means the working directory. So does an empty PATH.
    REQUIRE(::chdir(three.c_str()) == 0);
    for (const auto& path : {one + ":", ":" + one, one + "::" + one, std::string{}}) {
        set_path(path);
        CHECK(find_program("tool") == "./tool");
    }
    ::unsetenv("PATH");
    CHECK(find_program("sh") == "/bin/sh");

    // For a name with a slash, PATH does not matter.
    CHECK(find_program("../three/tool") == "../three/tool");
    CHECK(status_of_find("../two/tool") == 126);
    CHECK(status_of_find("../two") == 126);
    CHECK(status_of_find("../two/none") == 127);
    CHECK(status_of_find("../two/tool/none") == 127);
}

TEST_CASE("a spawned program gets the standard descriptors of the plan, and no others") {
    const Scenario scenario;
    Pipe input = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    const Words words{"sh", "-c", "cat; echo bad >&2; exit 3"};
    Child child =
        spawn("/bin/sh", words,
              {.input = input.reader.get(), .output = out.writer.get(), .error = err.writer.get()});
    write_all(input.writer.get(), "text", "a pipe");
    input.writer = Fd{};
    out.writer = Fd{};
    err.writer = Fd{};
    CHECK(read_to_end(out.reader.get(), 100, "a pipe", soon()) == "text");
    CHECK(read_to_end(err.reader.get(), 100, "a pipe", soon()) == "bad\n");
    const auto status = child.wait_until(soon());
    REQUIRE(status);
    CHECK(status->as_exit_status() == 3);
    CHECK_FALSE(status->succeeded());
    CHECK_FALSE(static_cast<bool>(child));

    const auto before = output_of({"ls", "/proc/self/fd"});
    const Fd kept = open_file("/dev/null", O_RDONLY);
    CHECK(output_of({"ls", "/proc/self/fd"}) == before);
}

TEST_CASE("a failed exec is the parent's error") {
    const Scenario scenario;
    scenario.write_file("text", std::string_view{"\x7f"
                                                 "ELF, but not for this machine",
                                                 30});
    REQUIRE(::chmod(scenario.path("text").c_str(), 0700) == 0);
    const auto status = [](const std::string& program) {
        try {
            (void)spawn(program, Words{program}, {});
        } catch (const Error& error) {
            return error.status();
        }
        return 0;
    };
    CHECK(status(scenario.path("none")) == 127);
    CHECK(status(scenario.path("")) == 126);
    CHECK(status(scenario.path("text")) == 126); // the shell must not run another machine's program
    CHECK_THROWS_WITH_AS((void)spawn("./none", Words{"none"}, {}),
                         "cannot execute ./none: No such file or directory", Error);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1); // no child is left
}

TEST_CASE("children start with the signals that we were started with") {
    const auto before = signal_line(output_of({"cat", "/proc/self/status"}), blocked_line);
    const BlockedSignals blocked{signal_set({SIGTERM, SIGUSR1})};
    CHECK(signal_line(output_of({"cat", "/proc/self/status"}), blocked_line) == before);
    Child child = fork_child([] {
        sigset_t mask;
        ::sigprocmask(SIG_BLOCK, nullptr, &mask);
        return sigismember(&mask, SIGTERM);
    });
    CHECK(child.wait().as_exit_status() == 0);
    // The test's own mask and actions are unchanged.
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    CHECK(sigismember(&mask, SIGUSR1) == 1);
    CHECK(sigismember(&mask, SIGUSR2) == 0);
}

TEST_CASE("children can be waited for even if we were started with SIGCHLD ignored") {
    Child outer = fork_child([] {
        ::signal(SIGCHLD, SIG_IGN);
        const int forked = fork_child([] { return 3; }).wait().as_exit_status();
        ::signal(SIGCHLD, SIG_IGN);
        Child spawned = spawn("/bin/sh", Words{"sh", "-c", "exit 4"}, {});
        return forked * 10 + spawned.wait().as_exit_status();
    });
    CHECK(outer.wait().as_exit_status() == 34);
    CHECK(signal_line(output_of({"cat", "/proc/self/status"}), ignored_line).size() == 16);
}

TEST_CASE("a status tells how a process ended") {
    Child child = spawn("/bin/sh", Words{"sh", "-c", "kill -TERM $$"}, {});
    const auto killed = child.wait();
    CHECK(killed.signal() == SIGTERM);
    CHECK(killed.as_exit_status() == 128 + SIGTERM);
    CHECK(killed.text() == "killed by TERM");
    CHECK(WaitStatus::exited(0).succeeded());
    CHECK(WaitStatus::exited(0).text() == "exit 0");
    CHECK(WaitStatus::exited(200).as_exit_status() == 200);
    CHECK(WaitStatus::killed(SIGSEGV, true).text() == "killed by SEGV (core dumped)");
    CHECK_FALSE(WaitStatus::killed(SIGSEGV, true).succeeded());
}

TEST_CASE("a child whose owner goes is killed and reaped") {
    pid_t pid = 0;
    {
        const Child child = fork_child([]() -> int {
            for (;;)
                ::pause();
        });
        pid = child.pid();
        CHECK(::kill(pid, 0) == 0);
    }
    CHECK(::kill(pid, 0) == -1);
    CHECK_FALSE(open_process(pid));
}

TEST_CASE("a child is waited for until the deadline, and can be left alone") {
    Child child = fork_child([]() -> int {
        for (;;)
            ::pause();
    });
    const pid_t pid = child.pid();
    CHECK_FALSE(child.wait_until(Deadline::after(1ms)));
    CHECK(static_cast<bool>(child));
    Child moved = std::move(child);
    CHECK_FALSE(static_cast<bool>(child)); // NOLINT(bugprone-use-after-move): that is the question
    moved.release();
    CHECK(::kill(pid, 0) == 0);
    const auto process = open_process(pid);
    REQUIRE(process);
    send_signal(*process, SIGKILL);
    CHECK(wait_for(process->get(), POLLIN, soon()));
    CHECK(::waitpid(pid, nullptr, 0) == pid);
    send_signal(*process, SIGKILL); // does nothing any more
}

TEST_CASE("a process with threads does not fork, and starts programs under load") {
    const BlockedSignals blocked{all_signals()};
    std::atomic<bool> is_over = false;
    std::vector<std::jthread> threads;
    // These threads hold the locks of malloc and stdio most of the time.
    for (int each = 0; each < 3; ++each)
        threads.emplace_back([&is_over] {
            while (!is_over) {
                std::vector<std::string> texts;
                for (std::size_t size = 1; size < 100'000; size *= 3)
                    texts.push_back(fmt::format("{:>{}}", "x", size));
            }
        });
    CHECK_THROWS_WITH((void)fork_child([] { return 0; }), "cannot fork: this process has threads");
    const Words words{"true"};
    const auto program = find_program("true");
    std::vector<std::jthread> starters;
    std::atomic<int> succeeded = 0;
    constexpr int each_starts = 150;
    for (int each = 0; each < 4; ++each)
        starters.emplace_back([&] {
            for (int start = 0; start < each_starts; ++start)
                if (spawn(program, words, {}).wait_until(soon())->succeeded()) ++succeeded;
        });
    starters.clear();
    is_over = true;
    threads.clear();
    CHECK(succeeded == 4 * each_starts);
    // The threads have ended, so they hold no lock.
    CHECK(fork_child([] { return 3; }).wait().as_exit_status() == 3);
}

TEST_CASE("a process can fork as soon as it has joined its last thread") {
    for (int round = 0; round < 300; ++round) {
        std::jthread{[] {}}.join();
        CHECK(fork_child([] { return 0; }).wait().succeeded());
    }
}

TEST_CASE("a forked child needs no descriptor that is not there") {
    Child child = fork_child([] {
        // Run this in a child, because it changes a limit.
        Child grandchild;
        const rlimit none{3, 3};
        {
            const Fd last = open_file("/", O_PATH);
            const rlimit one_more{static_cast<rlim_t>(last.get()) + 1,
                                  static_cast<rlim_t>(last.get()) + 1};
            if (::setrlimit(RLIMIT_NOFILE, &one_more) < 0) return 1;
        }
        grandchild = fork_child([] { return 7; });
        if (grandchild.wait().as_exit_status() != 7) return 2;
        if (::setrlimit(RLIMIT_NOFILE, &none) < 0) return 3;
        try {
            (void)fork_child([] { return 7; });
        } catch (const SysError&) {
            return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD ? 0 : 4;
        }
        return 5;
    });
    CHECK(child.wait().as_exit_status() == 0);
}

TEST_CASE("no exception leaves a forked child") {
    Child child = fork_child([]() -> int { throw Error("lost"); });
    CHECK(child.wait().as_exit_status() == 1);
}

TEST_CASE("a child ends with its parent, even when the parent was faster") {
    Pipe pipe = make_pipe();
    Child parent = fork_child([&] {
        const pid_t own = ::getpid();
        for (const bool late : {false, true})
            fork_child([&, late]() -> int {
                if (late)
                    while (::getppid() == own)
                        ::sched_yield();
                end_with_parent(own);
                for (;;)
                    ::pause();
            }).release();
        return 0;
    });
    pipe.writer = Fd{};
    CHECK(parent.wait().succeeded());
    CHECK(wait_for(pipe.reader.get(), POLLIN, soon())); // both have closed their copies of the pipe
}

TEST_CASE("a detached child has its own session and keeps nobody waiting") {
    Pipe pipe = make_pipe();
    Pipe kept = make_pipe();
    Child child = fork_child([&] {
        detach_from_session();
        close_descriptors_except(kept.writer);
        const bool detached = ::getsid(0) == ::getpid();
        std::array<char, 10> directory{};
        const bool at_root = ::getcwd(directory.data(), directory.size()) != nullptr &&
                             std::string_view{directory.data()} == "/";
        write_all(kept.writer.get(), detached && at_root ? "y" : "n", "a pipe");
        for (;;)
            ::pause();
        return 0;
    });
    pipe.writer = Fd{};
    CHECK(wait_for(pipe.reader.get(), POLLIN, soon()));
    char answer = 0;
    CHECK(::read(kept.reader.get(), &answer, 1) == 1);
    CHECK(answer == 'y');
}
