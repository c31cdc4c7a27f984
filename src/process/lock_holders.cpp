#include "process/lock_holders.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/process_info.h"
#include "core/process_stat.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

// Removes the next word of LINE and returns it; empty at the end.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

} // namespace

std::vector<pid_t> lock_holders_in(std::string_view locks, dev_t device, ino_t inode) {
    const auto file = fmt::format("{:02x}:{:02x}:{}", major(device), minor(device), inode);
    std::vector<pid_t> holders;
    while (!locks.empty()) {
        auto line = locks.substr(0, locks.find('\n'));
        locks.remove_prefix(std::min(line.size() + 1, locks.size()));
        // "1: FLOCK ADVISORY WRITE 812 fe:00:1234 0 EOF". For a process that waits, the second word
        // is "->".
        std::array<std::string_view, 6> words;
        std::ranges::generate(words, [&line] { return take_word(line); });
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
    return lock_holders_in(read_to_end(file.get(), limit, path), status.st_dev, status.st_ino);
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
