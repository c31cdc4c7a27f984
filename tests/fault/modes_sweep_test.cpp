// The sweep (fault/sweep.h) over the other modes of the applets, with the three most frequent
// errors. In a campaign (IPCBOX_CAMPAIGN=1), each call fails with each error that it can have.
#include "fault/sweep.h"

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

} // namespace

TEST_CASE("no matter what fails in any mode, one line reports it and nothing is left behind") {
    run_sweeps(sweeps(), {"ENOMEM", "EMFILE", "EACCES"});
}
