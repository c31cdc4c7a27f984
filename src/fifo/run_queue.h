// The processes of the whole machine that run or wait for a CPU at this moment, according to
// proc(5). If a dozen processes share a CPU, one that was preempted can wait for a tenth of a
// second, while processes that came after it run several times.
#pragma once

#include "core/deadline.h"

#include <sys/types.h>
#include <vector>

namespace ipcbox::fifo {

// How many threads run or wait for a CPU, the caller among them (/proc/loadavg); 0 when /proc is
// not there.
[[nodiscard]] unsigned count_runnable_threads();

// The processes that were runnable at one moment. It considers only their first threads, and only
// those that /proc shows us (mount option hidepid). Throws nothing: a process that we cannot look
// at is left out.
class RunnableProcesses {
  public:
    // Those of this moment, without ourselves.
    RunnableProcesses();
    // Whether each of them has blocked, ended, or had a CPU for SHARE since.
    [[nodiscard]] bool have_run(Duration share);

  private:
    struct Process {
        pid_t pid;
        Duration run_time;
    };
    std::vector<Process> processes_; // those that have not run yet
};

} // namespace ipcbox::fifo
