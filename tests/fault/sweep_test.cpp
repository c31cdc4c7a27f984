// The sweep (fault/sweep.h) over the applets. Add a line for a call that you want to be tested.
#include "fault/sweep.h"

#include "core/io.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

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
        {"lock-run --max-hold",
         {{"lock-run", "lock", "true"}},
         {"lock-run", "--max-hold", "100", "lock", "true"}},
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

} // namespace

TEST_CASE("no matter what fails, one line reports it and nothing is left behind") {
    run_sweeps(sweeps(), {"ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EACCES", "EIDRM", "EAGAIN",
                          "EIO", "EPERM", "E2BIG", "EROFS"});
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
