#include "core/process_stat.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/path.h"
#include "core/syscall.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// The words after the name. The first one is field 3, the state.
class Fields {
  public:
    explicit Fields(std::string_view words) : words_(words) {}

    // Each call must ask for a later field than the call before.
    [[nodiscard]] std::string_view text(int number) {
        for (; at_ < number; ++at_)
            words_.remove_prefix(std::min(words_.find(' '), words_.size() - 1) + 1);
        return words_.substr(0, words_.find_first_of(" \n"));
    }
    // 0 when the field is not a number. The group -1 of a kernel thread counts as 0 too.
    template <class Number = pid_t> [[nodiscard]] Number number(int field) {
        return whole_number<Number>(text(field)).value_or(0);
    }

  private:
    std::string_view words_;
    int at_ = 3;
};

} // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
    // The name is in parentheses, and can itself contain any byte.
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || open < 2 ||
        close < open || close + 3 > line.size())
        return std::nullopt;
    const auto pid = whole_number<pid_t>(line.substr(0, open - 1));
    if (!pid) return std::nullopt;
    ProcessStat stat;
    stat.pid = *pid;
    stat.name = line.substr(open + 1, close - open - 1);
    Fields fields{line.substr(close + 2)};
    stat.state = fields.text(3).front();
    stat.parent = fields.number(4);
    stat.group = fields.number(5);
    stat.session = fields.number(6);
    for (const int field : {14, 15, 16, 17}) // utime, stime, cutime, cstime
        stat.cpu_ticks += fields.number<std::uint64_t>(field);
    stat.threads = fields.number<int>(20);
    stat.start_ticks = fields.number<std::uint64_t>(22);
    return stat;
}

std::optional<std::string> read_process_file(pid_t pid, std::string_view name) try {
    if (!has_own_proc()) return std::nullopt;
    constexpr std::size_t limit = 64UL * 1024;
    const auto path = fmt::format("/proc/{}/{}", pid, name);
    const Fd file = open_file(path, O_RDONLY);
    return read_to_end(file.get(), limit, path);
} catch (const SysError& error) {
    // It ended while we looked (ESRCH), or it was not there, or /proc hides it from us.
    if (error.error() == ENOENT || error.error() == ESRCH || error.error() == EACCES)
        return std::nullopt;
    throw;
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
    const auto line = read_process_file(pid, "stat");
    return line ? parse_process_stat(*line) : std::nullopt;
}

bool has_proc() {
    return sys::call("access", ::access, "/proc/self/stat", F_OK) == 0;
}

bool has_own_proc() {
    // If /proc has shown us once, it always will. If not, ask again: process 1 may mount it later.
    static std::atomic<bool> shows_us = false;
    // While the system lacks memory, nothing is known.
    constexpr int max_attempts = 100;
    for (int attempt = 0; !shows_us && attempt < max_attempts; ++attempt) {
        const auto link = read_link("/proc/self");
        shows_us = link == fmt::format("{}", ::getpid());
        if (link || errno != ENOMEM) break;
    }
    return shows_us;
}

std::string_view no_own_proc_reason() {
    return has_proc() ? "/proc shows another PID namespace" : "there is no /proc";
}

double ticks_in_seconds(std::uint64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

} // namespace ipcbox
