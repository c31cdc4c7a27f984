#include "core/process_info.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "core/syscall.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// Start times are in clock ticks since boot.
std::chrono::system_clock::time_point since_boot(std::uint64_t ticks) {
    const auto rate = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const std::chrono::milliseconds after_boot{ticks * 1000 / rate};
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const auto uptime = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
    return std::chrono::system_clock::now() - uptime + after_boot;
}

// A process can give itself any name, even one that controls a terminal or looks like another line.
// As with ps, every byte that is not printable ASCII becomes a question mark.
std::string harmless(std::string name) {
    std::ranges::replace_if(
        name, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    return name;
}

} // namespace

std::string ProcessInfo::text() const {
    const auto age = std::chrono::system_clock::now() - started;
    return fmt::format("{} ({}, {}, {})", pid, harmless(name), user_name(user),
                       short_duration(std::chrono::duration_cast<std::chrono::seconds>(age)));
}

std::optional<ProcessInfo> find_process(pid_t pid) try {
    if (!has_own_proc()) return std::nullopt;
    constexpr std::size_t limit = 4096;
    const auto path = fmt::format("/proc/{}/stat", pid);
    const Fd file = open_file(path, O_RDONLY);
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("inspect", path);
    const auto stat = parse_process_stat(read_to_end(file.get(), limit, path));
    if (!stat || stat->has_ended()) return std::nullopt;
    return ProcessInfo{pid,           stat->parent,
                       status.st_uid, stat->state == 'R',
                       stat->name,    since_boot(stat->start_ticks)};
} catch (const SysError& error) {
    // It ended while we looked (ESRCH), or it was not there, or /proc hides it from us.
    if (error.error() == ENOENT || error.error() == ESRCH || error.error() == EACCES)
        return std::nullopt;
    throw;
}

void set_own_name(const std::string& name) {
    const auto rename = [](const char* text) { return ::prctl(PR_SET_NAME, text); };
    sys::call("prctl", rename, name.c_str());
}

std::string short_duration(std::chrono::seconds duration) {
    struct Unit {
        std::int64_t seconds;
        char letter;
    };
    constexpr std::array units{Unit{86400, 'd'}, Unit{3600, 'h'}, Unit{60, 'm'}, Unit{1, 's'}};
    std::int64_t left = std::max<std::int64_t>(duration.count(), 0);
    for (std::size_t at = 0; at + 1 < units.size(); ++at) {
        if (left < units[at].seconds) continue;
        auto text = fmt::format("{}{}", left / units[at].seconds, units[at].letter);
        left %= units[at].seconds;
        if (const auto rest = left / units[at + 1].seconds; rest > 0)
            text += fmt::format("{}{}", rest, units[at + 1].letter);
        return text;
    }
    return fmt::format("{}s", left);
}

} // namespace ipcbox
