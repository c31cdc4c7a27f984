#include "process/lock_holders.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/path.h"
#include "core/process_fds.h"
#include "core/process_info.h"
#include "core/process_stat.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "process/selection.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

bool exists(pid_t pid) {
    return pid > 0 && read_process_stat(pid).has_value();
}

// Whether the descriptor NUMBER of PID has a lock on the file of STATUS: the lines "lock:" of
// /proc/PID/fdinfo (proc(5)) are those of /proc/locks.
bool has_lock(pid_t pid, const std::string& number, const struct stat& status) try {
    constexpr std::string_view mark = "lock:\t";
    constexpr std::size_t limit = 64UL * 1024;
    const auto path = fmt::format("/proc/{}/fdinfo/{}", pid, number);
    const auto text = read_to_end(open_file(path, O_RDONLY).get(), limit, path);
    TextLines lines{text};
    while (const auto line = lines.next())
        if (line->text.starts_with(mark) &&
            !lock_holders_in(line->text.substr(mark.size()), status.st_dev, status.st_ino).empty())
            return true;
    return false;
} catch (const Error&) { // it has ended, or has closed the descriptor
    return false;
}

// The processes that have inherited the lock of the file of FD: others, or only we.
std::vector<pid_t> heirs(int fd, const struct stat& status) {
    const auto file = read_link(fmt::format("/proc/self/fd/{}", fd));
    std::vector<pid_t> found;
    for (const pid_t pid : all_pids())
        look_at_descriptors(pid, [&](const auto& number, const auto& target) {
            if (target != file || !has_lock(pid, number, status)) return true;
            found.push_back(pid);
            return false;
        });
    if (found.size() > 1) std::erase(found, ::getpid());
    return found;
}

} // namespace

std::vector<pid_t> lock_holders_in(std::string_view locks, dev_t device, ino_t inode) {
    const auto file = fmt::format("{:02x}:{:02x}:{}", major(device), minor(device), inode);
    std::vector<pid_t> holders;
    TextLines lines{locks};
    while (const auto line = lines.next()) {
        auto rest = line->text;
        // "1: FLOCK ADVISORY WRITE 812 fe:00:1234 0 EOF". For a process that waits, the second word
        // is "->".
        std::array<std::string_view, 6> words;
        std::ranges::generate(words, [&rest] { return take_word(rest); });
        const auto pid = whole_number<pid_t>(words[4]);
        if (words[1] == "FLOCK" && words[5] == file && pid) holders.push_back(std::max(*pid, 0));
    }
    return holders;
}

std::vector<pid_t> lock_holders(int fd) try {
    constexpr std::size_t limit = 16UL * 1024 * 1024;
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) return {};
    const std::string path = "/proc/locks";
    const Fd file = open_file(path, O_RDONLY);
    auto holders =
        lock_holders_in(read_to_end(file.get(), limit, path), status.st_dev, status.st_ino);
    if (holders.empty() || std::ranges::any_of(holders, exists)) return holders;
    auto inherited = heirs(fd, status);
    return inherited.empty() ? holders : inherited;
} catch (const Error&) {
    return {};
}

std::string text_of(std::span<const pid_t> pids) {
    std::string text;
    for (const pid_t pid : pids)
        if (const auto info = pid > 0 ? find_process(pid) : std::nullopt)
            text.append(text.empty() ? "" : ", ").append(info->text());
    return text.empty() ? "another process" : text;
}

bool is_ancestor(pid_t pid) {
    for (pid_t parent = ::getppid(); parent > 0;) {
        if (parent == pid) return true;
        const auto stat = read_process_stat(parent);
        if (!stat) return false;
        parent = stat->parent;
    }
    return false;
}

} // namespace ipcbox::process
