// The sweep (fault/sweep.h) over the other modes of the applets, with the three most frequent
// errors. In a campaign (IPCBOX_CAMPAIGN=1), each call fails with each error that it can have.
#include "fault/sweep.h"

#include <cstdlib>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

const std::vector<Sweep>& sweeps() {
    static const std::vector<Sweep> all{
        {"signal-list", {}, {"signal-list", "-L"}},
        {"signal-list --mask", {}, {"signal-list", "--mask", "f0"}},
        {"process-alive", {}, {"process-alive", "-v", "OWNER"}},
        {"process-alive -J", {}, {"process-alive", "-J", "OWNER"}},
        {"process-wait that waits", {}, {"process-wait", "-t", "1ms", "OWNER"}},
        {"process-wait --any", {}, {"process-wait", "--any", "-t", "0", "OWNER"}},
        {"signal-show --threads", {}, {"signal-show", "--threads", "OWNER"}},
        {"signal-show -J", {}, {"signal-show", "-J", "OWNER"}},
        {"signal-send --tree", {}, {"signal-send", "-CONT", "--tree", "OWNER"}},
        {"signal-send --dry-run", {}, {"signal-send", "--dry-run", "OWNER"}},
        {"signal-send --queue", {}, {"signal-send", "-CONT", "--queue", "7", "OWNER"}},
        {"signal-send --escalate", {}, {"signal-send", "--escalate", "CONT:1ms", "OWNER"}},
        {"signal-run --on", {}, {"signal-run", "--on", "USR1=true", "true"}},
        {"signal-run --rewrite", {}, {"signal-run", "--rewrite", "USR1:TERM", "true"}},
        {"timeout-run --report", {}, {"timeout-run", "--report", "/dev/null", "100", "true"}},
        {"timeout-run --idle", {}, {"timeout-run", "--idle", "100", "100", "true"}},
        {"timeout-run when time is up",
         {},
         {"timeout-run", "--stages", "TERM:9s,KILL", "0.01", "sleep", "100"}},
        {"timeout-run --foreground", {}, {"timeout-run", "--foreground", "100", "true"}},
        {"lock-run -s -w",
         {{"lock-run", "lock", "true"}},
         {"lock-run", "-s", "-w", "9", "lock", "true"}},
        {"lock-run of a directory", {}, {"lock-run", ".", "true"}},
        {"reap-run --kill-orphans",
         {},
         {"reap-run", "--kill-orphans", "TERM:9s,KILL", "--", "sh", "-c",
          "sleep 100 >/dev/null 2>&1 & true"}},
        {"reap-run --report", {}, {"reap-run", "--report", "/dev/null", "--", "true"}},
        {"daemon-run --respawn", {}, {"daemon-run", "--respawn", "1/1m", "--settle", "9", "true"}},
        {"daemon-run --rotate",
         {},
         {"daemon-run", "-o", "out", "--rotate", "1M:1", "--settle", "9", "true"},
         "",
         Failure::may_come_late},
        {"daemon-run -l",
         {{"lock-run", "lock", "true"}},
         {"daemon-run", "-l", "lock", "--settle", "9", "true"}},
        {"daemon-run --ready-fd", {}, {"daemon-run", "--ready-fd", "9", "true"}},
        {"daemon-run --ready-notify", {}, {"daemon-run", "--ready-notify", "true"}},
        {"daemon-run --background", {}, {"daemon-run", "--background", "--settle", "9", "true"}},
        {"daemon-run --status",
         {{"pipe-run", "-o", "pid", "--", "echo", "OWNER"}},
         {"daemon-run", "-p", "pid", "--status"}},
        {"daemon-run --reload of nothing", {}, {"daemon-run", "-p", "pid", "--reload"}},
        {"open3-run with stamps", {}, {"open3-run", "echo", "a"}},
        {"open3-run --tee-err", {}, {"open3-run", "-q", "--tee-err", "/dev/null", "echo", "a"}},
        {"pipe-run --report",
         {},
         {"pipe-run", "--report", "/dev/null", "--", "echo", "a", "--then", "cat", "--then",
          "cat"}},
        {"magic-cat of a file",
         {{"pipe-run", "-o", "file", "--", "echo", "a"}},
         {"magic-cat", "file", "file"}},
        {"catsock-client, and nobody listens", {}, {"catsock-client", "./nobody"}},
        {"ipc-list -J", {{"sem-create", "NAME"}}, {"ipc-list", "-J", "--sem", "NAME"}},
        {"ipc-remove --dry-run", {{"sem-create", "KEY"}}, {"ipc-remove", "KEY"}},
        {"shm-read --stream without a writer",
         {},
         {"shm-read", "--stream", "-w", "0", "NAME"},
         "",
         Failure::may_leave_to_next_run},
    };
    return all;
}

// Modes for which something must be there first, or that few people use.
const std::vector<Sweep>& rarer_sweeps() {
    static const std::vector<Sweep> all{
        {"pipe-run -o", {}, {"pipe-run", "-o", "file", "--", "true"}, "", Failure::may_come_late},
        {"pipe-run -u", {}, {"pipe-run", "-u", "root", "--", "true"}},
        {"a script without an interpreter",
         {{"timeout-run", "100", "sh", "-c", "echo true > script; chmod +x script"}},
         {"timeout-run", "100", "./script"}},
        {"daemon-run --rotate when it rotates",
         {{"daemon-run", "-o", "out", "--rotate", "1K:1", "--settle", "9", "seq", "500"}},
         {"daemon-run", "-o", "out", "--rotate", "1K:1", "--settle", "9", "seq", "500"}},
        {"daemon-run --syslog", {}, {"daemon-run", "--syslog", "--settle", "9", "echo", "a"}},
        // Only the calls of daemon-run fail, not those of the server.
        {"daemon-run that gets a notification",
         {},
         {"daemon-run", "--ready-notify", "env", "-u", "IPCBOX_FAULT", binary(),
          "forking-tcp-server", "--exit-idle-time", "300ms", "127.0.0.1:0"}},
        {"daemon-run of a command that keeps running",
         {},
         {"daemon-run", "--settle", "1ms", "sleep", "0.2"}},
        {"daemon-run -p --status without a file", {}, {"daemon-run", "-p", "pid", "--status"}},
        {"daemon-run --status of another user's file",
         {{"pipe-run", "-o", "pid", "--", "echo", "OWNER"},
          {"timeout-run", "100", "chown", "nobody", "pid"}},
         {"daemon-run", "-p", "pid", "--status"}},
        {"sem-take of a path's key",
         {{"pipe-run", "-o", "file", "--", "true"}},
         {"sem-take", "-n", "./file"}},
        {"fifosig when the place for the old file is taken",
         {{"pipe-run", "-o", "fifo", "--", "true"}, {"pipe-run", "-o", "fifo.orig", "--", "true"}},
         {"fifosig", "-s", "text", "fifo"},
         "",
         Failure::may_leave_to_next_run},
        {"catsock-client, and no socket is there",
         {{"pipe-run", "-o", "file", "--", "true"}},
         {"catsock-client", "./file"}},
        {"pipe-run --tee",
         {{"pipe-run", "-o", "copy", "--", "true"}},
         {"pipe-run", "--tee", "1=copy", "--", "echo", "text", "--then", "cat"}},
        {"timeout-run on a terminal",
         {},
         {"timeout-run", "100", "true"},
         "",
         Failure::changes_nothing,
         Place::terminal},
        {"ipcbox --install", {}, {"ipcbox", "--install", "."}, "", Failure::may_do_a_part},
        {"ipcbox --install --force",
         {{"pipe-run", "-o", "webget", "--", "true"}},
         {"ipcbox", "--install", ".", "--force"},
         "",
         Failure::may_do_a_part},
        {"pty-run on a terminal",
         {},
         {"pty-run", "true"},
         "",
         Failure::changes_nothing,
         Place::terminal},
    };
    return all;
}

// These look at all processes of the machine, so the number of their calls depends on those.
const std::vector<Sweep>& machine_sweeps() {
    static const std::vector<Sweep> all{
        {"ipc-list --posix", {}, {"ipc-list", "--posix"}},
        {"ipc-list -s of what is taken",
         {{"sem-create", "KEY"}, {"sem-take", "--hold-for", "OWNER", "KEY"}},
         {"ipc-list", "-v", "--sem", "KEY"}},
    };
    return all;
}

} // namespace

TEST_CASE("no matter what fails in any mode, one line reports it and nothing is left behind") {
    run_sweeps(sweeps(), {"ENOMEM", "EMFILE", "EACCES"});
}

TEST_CASE("no matter what fails in a rarer mode, one line reports it and nothing is left behind") {
    run_sweeps(rarer_sweeps(), {"ENOMEM", "EMFILE", "EACCES"});
}

TEST_CASE("no matter what fails, a list of the machine's objects reports it in one line") {
    if (std::getenv("IPCBOX_CAMPAIGN") == nullptr) return;
    run_sweeps(machine_sweeps(), {});
}
