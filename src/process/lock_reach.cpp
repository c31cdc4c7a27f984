#include "process/lock_reach.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

namespace ipcbox::process {

namespace {

// A type of file system, and the mount option that makes its locks local; an empty option means
// always. See nfs(5), mount.cifs(8), and in the kernel's documentation 9p.rst and fuse.
struct LocalLock {
    std::string_view type;
    std::string_view option;
};
constexpr std::array local_locks{
    LocalLock{"nfs", "nolock"},
    LocalLock{"nfs", "local_lock=all"},
    LocalLock{"nfs", "local_lock=flock"},
    LocalLock{"nfs4", "local_lock=all"},
    LocalLock{"nfs4", "local_lock=flock"},
    LocalLock{"cifs", "nobrl"},
    LocalLock{"smb3", "nobrl"},
    LocalLock{"9p", ""},
    LocalLock{"vboxsf", ""},
    LocalLock{"fuse.sshfs", ""},
};

// The numbers of the types above (statfs(2)).
bool can_be_remote(long magic) {
    constexpr std::array<long, 6> numbers{0x6969,     0xFF534D42, 0xFE534D42,
                                          0x01021997, 0x786F4256, 0x65735546};
    return std::ranges::find(numbers, magic & 0xFFFFFFFF) != numbers.end();
}

bool has_option(std::string_view options, std::string_view wanted) {
    while (!options.empty())
        if (take_until(options, ',') == wanted) return true;
    return false;
}

} // namespace

std::optional<std::string> local_lock_reason_in(std::string_view mountinfo, dev_t device) {
    // "36 35 98:0 / /mnt rw master:1 - nfs4 server:/ rw,local_lock=all": the device is the third
    // word; the type and the options of the file system come after the dash (proc(5)).
    const auto number = fmt::format("{}:{}", major(device), minor(device));
    TextLines lines{mountinfo};
    while (const auto line = lines.next()) {
        auto words = line->text;
        (void)take_word(words);
        (void)take_word(words);
        const auto dash = words.find(" - ");
        if (take_word(words) != number || dash == std::string_view::npos) continue;
        auto rest = line->text.substr(line->text.find(" - ") + 3);
        const auto type = take_word(rest);
        (void)take_word(rest);
        const auto options = take_word(rest);
        for (const auto& [local_type, option] : local_locks)
            if (type == local_type && (option.empty() || has_option(options, option)))
                return option.empty() ? std::string{type} : fmt::format("{} with {}", type, option);
        return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::string> local_lock_reason(int fd) try {
    struct statfs system {};
    if (sys::call("fstatfs", ::fstatfs, fd, &system) < 0 || !can_be_remote(system.f_type))
        return std::nullopt;
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) return std::nullopt;
    constexpr std::size_t limit = 16UL * 1024 * 1024;
    const std::string path = "/proc/self/mountinfo";
    const Fd file = open_file(path, O_RDONLY);
    return local_lock_reason_in(read_to_end(file.get(), limit, path), status.st_dev);
} catch (const Error&) {
    return std::nullopt;
}

} // namespace ipcbox::process
