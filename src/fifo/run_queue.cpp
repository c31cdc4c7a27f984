#include "fifo/run_queue.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/process_info.h"
#include "core/words.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>

namespace ipcbox::fifo {

namespace {

// The line of a file in /proc. Empty when it cannot be read.
std::string line_of(const std::string& path) try {
    constexpr std::size_t limit = 4096;
    return read_to_end(open_file(path, O_RDONLY).get(), limit, path);
} catch (const Error&) {
    return {};
}

// The CPU time of the process, if it is runnable.
std::optional<Duration> run_time_of_runnable(pid_t pid) try {
    const auto process = find_process(pid);
    if (!process || !process->is_runnable) return std::nullopt;
    // Three numbers: nanoseconds on a CPU, nanoseconds of waiting for one, and how often.
    const auto line = line_of(fmt::format("/proc/{}/schedstat", pid));
    const auto time = whole_number<std::int64_t>(line.substr(0, line.find(' ')));
    if (!time) return std::nullopt;
    return std::chrono::nanoseconds{*time};
} catch (const Error&) {
    return std::nullopt;
}

} // namespace

unsigned count_runnable_threads() {
    // Three averages, then "RUNNABLE/ALL".
    const auto line = line_of("/proc/loadavg");
    std::string_view rest = line;
    for (int average = 0; average < 3; ++average)
        (void)take_until(rest, ' ');
    return whole_number<unsigned>(take_until(rest, '/')).value_or(0);
}

RunnableProcesses::RunnableProcesses() {
    const Directory proc{::opendir("/proc")};
    if (!proc) return;
    while (const dirent* entry = ::readdir(proc.get())) {
        const auto pid = whole_number<pid_t>(entry->d_name);
        if (!pid || *pid == ::getpid()) continue;
        if (const auto run_time = run_time_of_runnable(*pid))
            processes_.push_back({*pid, *run_time});
    }
}

bool RunnableProcesses::have_run(Duration share) {
    std::erase_if(processes_, [share](const Process& process) {
        const auto run_time = run_time_of_runnable(process.pid);
        return !run_time || *run_time - process.run_time >= share;
    });
    return processes_.empty();
}

} // namespace ipcbox::fifo
