#include "process/pid_file.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/number.h"
#include "core/pidfd.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "core/user.h"
#include "core/words.h"
#include "process/selection.h"

#include <array>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

constexpr const char* start_attribute = "user.ipcbox.start";

double seconds_of(const timespec& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double now_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return seconds_of(now);
}

struct stat status_of(const Fd& file, const std::string& path) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("read", path);
    return status;
}

// Allows a tolerance: the kernel counts starts in steps of 10 ms, and a clock that is being
// adjusted drifts.
bool started_after(std::uint64_t start_ticks, const timespec& time) {
    constexpr double tolerance = 2;
    const double age = now_of(CLOCK_BOOTTIME) - ticks_in_seconds(start_ticks);
    return now_of(CLOCK_REALTIME) - age > seconds_of(time) + tolerance;
}

std::optional<uid_t> owner_of(pid_t pid) {
    struct stat status {};
    const auto directory = fmt::format("/proc/{}", pid);
    if (!has_own_proc() || sys::call("stat", ::stat, directory.c_str(), &status) < 0)
        return std::nullopt;
    return status.st_uid;
}

// The start of the process, and its unique number if the kernel has one.
struct Stamp {
    std::optional<std::uint64_t> start;
    std::optional<std::uint64_t> unique;
};

Stamp stamp_of(const Fd& file) {
    std::array<char, 48> text{};
    const auto get = [](int fd, const char* name, char* into, std::size_t size) {
        return ::fgetxattr(fd, name, into, size);
    };
    const auto size =
        sys::call("fgetxattr", get, file.get(), start_attribute, text.data(), text.size());
    if (size <= 0) return {};
    std::string_view words{text.data(), static_cast<std::size_t>(size)};
    const auto start = whole_number<std::uint64_t>(take_word(words));
    return {start, whole_number<std::uint64_t>(take_word(words))};
}

std::string own_stamp() {
    const auto stat = read_process_stat(::getpid());
    if (!stat) return {};
    const auto handle = open_process(::getpid());
    const auto unique = handle ? unique_number(*handle) : std::nullopt;
    return unique ? fmt::format("{} {}", stat->start_ticks, *unique)
                  : fmt::format("{}", stat->start_ticks);
}

void check_trust(const std::string& path, const struct stat& file, pid_t pid) {
    constexpr uid_t root = 0;
    if (file.st_uid != root && file.st_uid != ::geteuid() && file.st_uid != owner_of(pid))
        throw Error(fmt::format("cannot trust {}: it belongs to {}, and process {} does not", path,
                                user_name(file.st_uid), pid));
    if (::geteuid() == root && (file.st_mode & S_IWOTH) != 0)
        throw Error(fmt::format("cannot trust {}: every user can write it", path));
}

} // namespace

PidFile::PidFile(const std::string& path, Deadline deadline) : path_(path) {
    constexpr mode_t mode = 0644;
    while (!file_) {
        Fd file = open_file(path, O_RDWR | O_CREAT | O_NOCTTY | O_NONBLOCK, mode);
        if (!lock_until(file.get(), LockKind::exclusive, deadline, path))
            throw TimedOut(fmt::format("{} is locked by another process", path));
        struct stat named {};
        // The file may have been removed while we waited. So look at the name again, and follow
        // links.
        if (sys::call("stat", ::stat, path.c_str(), &named) == 0) {
            if (FileIdentity{named} == FileIdentity{status_of(file, path)}) file_ = std::move(file);
        } else if (const int error = errno; error != ENOENT) {
            file_ = std::move(file);
            if (is_empty()) remove();
            throw SysError("open", path, error);
        }
    }
}

bool PidFile::is_empty() const {
    return status_of(file_, path_).st_size == 0;
}

void PidFile::write_own() {
    // Write the start before the pid. A reader in between then finds that they do not match, and
    // takes the daemon for ended.
    if (const auto stamp = own_stamp(); !stamp.empty()) {
        const auto set = [](int fd, const char* name, const char* value, std::size_t size) {
            return ::fsetxattr(fd, name, value, size, 0);
        };
        // If the file system has no attributes, readers compare only the time of the file.
        sys::call("fsetxattr", set, file_.get(), start_attribute, stamp.c_str(), stamp.size());
    }
    const HarmlessWriteSignals file_limit{SIGXFSZ};
    const auto text = fmt::format("{}\n", ::getpid());
    write_all(file_.get(), text, path_);
    set_file_size(file_.get(), static_cast<off_t>(text.size()), path_);
}

void PidFile::remove() noexcept {
    sys::call("unlink", ::unlink, path_.c_str());
}

void PidFile::remove_if_means(pid_t pid) noexcept {
    try {
        if (read_pid_file(path_).pid == pid) remove();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): a stale file stays
    }
}

std::optional<RunningDaemon> daemon_of(const std::string& path) {
    Fd file;
    try {
        file = open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    } catch (const SysError& error) {
        if (error.error() != ENOENT) throw;
        return std::nullopt;
    }
    const auto status = status_of(file, path);
    if (S_ISREG(status.st_mode) && status.st_size == 0) return std::nullopt;
    Identity identity = read_pid_file(file, path);
    const Stamp stamp = stamp_of(file);
    if (!identity.start) identity.start = stamp.start;
    auto found = find(identity);
    if (!found || (found->stat && found->stat->has_ended())) return std::nullopt;
    const auto unique = stamp.unique ? unique_number(found->handle) : std::nullopt;
    if (unique && *unique != *stamp.unique) return std::nullopt;
    if (!identity.start && found->stat && started_after(found->stat->start_ticks, status.st_mtim))
        return std::nullopt;
    check_trust(path, status, identity.pid);
    return RunningDaemon{found->identity(identity.pid), std::move(found->handle)};
}

bool has_pid_file(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) == 0) return true;
    if (errno != ENOENT) throw SysError("find", path);
    return false;
}

void remove_pid_file(const std::string& path, pid_t pid, Deadline patience) noexcept {
    try {
        // A PidFile object would create a missing file again, so open it here. If the name leads to
        // another file by the time we have the lock, that file has another pid.
        const Fd file = open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        if (lock_until(file.get(), LockKind::exclusive, patience, path) &&
            read_pid_file(path).pid == pid)
            sys::call("unlink", ::unlink, path.c_str());
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): a stale file stays
    }
}

} // namespace ipcbox::process
