#include "fifo/file_events.h"

#include "core/error.h"
#include "core/syscall.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace ipcbox::fifo {

namespace {

// FAN_CLOSE_WRITE is left out. Only we close write ends, but the events do not always have our pid:
// our children have copies of the descriptors until their execve(2), and an event has the pid of
// the last process to close.
constexpr std::uint64_t fanotify_mask =
    FAN_OPEN | FAN_ACCESS | FAN_CLOSE_NOWRITE | FAN_ATTRIB | FAN_MOVE_SELF;
constexpr std::uint32_t inotify_mask =
    IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE | IN_ATTRIB | IN_MOVE_SELF;

// The handle that fanotify uses for the file. Nothing when the file system has no handles.
std::optional<std::string> handle_of(const Fd& inode) {
    // Some file systems, often overlayfs, have handles for their files but cannot open a file by
    // its handle. This flag is for them (linux/fcntl.h, since Linux 6.5).
    constexpr int handle_for_events = 0x200;
    struct alignas(file_handle) Room {
        std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};
    } room;
    auto* handle = reinterpret_cast<file_handle*>(room.bytes.data());
    for (const int flags : {0, handle_for_events}) {
        int mount = 0;
        handle->handle_bytes = MAX_HANDLE_SZ;
        if (sys::call("name_to_handle_at", ::name_to_handle_at, inode.get(), "", handle, &mount,
                      AT_EMPTY_PATH | flags) == 0)
            return std::string{room.bytes.data() + sizeof(file_handle), handle->handle_bytes};
    }
    return std::nullopt;
}

// The handle in the records after an event. An overflow has none.
std::optional<std::string> handle_in(const char* from, const char* end) {
    fanotify_event_info_fid info{};
    file_handle handle{};
    if (end - from < static_cast<std::ptrdiff_t>(sizeof info + sizeof handle)) return std::nullopt;
    std::memcpy(&info, from, sizeof info);
    if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_FID) return std::nullopt;
    from += sizeof info;
    std::memcpy(&handle, from, sizeof handle);
    return std::string{from + sizeof handle, handle.handle_bytes};
}

} // namespace

FileEvents::FileEvents(Backend backend)
    : kind_(backend == Backend::best ? Kind::undecided : Kind::inotify) {
    if (kind_ == Kind::inotify) use_inotify();
}

void FileEvents::use_inotify() {
    const int number = sys::call("inotify_init1", ::inotify_init1, IN_NONBLOCK | IN_CLOEXEC);
    if (number < 0) throw SysError("watch", "files");
    queue_ = Fd::adopt(number);
    kind_ = Kind::inotify;
}

bool FileEvents::try_fanotify(const Fifo& fifo, int file) {
    if (kind_ == Kind::undecided) {
        const int number =
            sys::call("fanotify_init", ::fanotify_init,
                      unsigned{FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK},
                      unsigned{O_RDONLY});
        if (number < 0) return false;
        queue_ = Fd::adopt(number);
    }
    auto handle = handle_of(fifo.inode());
    if (!handle || sys::call("fanotify_mark", ::fanotify_mark, queue_.get(), unsigned{FAN_MARK_ADD},
                             fanotify_mask, AT_FDCWD, fifo.path().c_str()) < 0)
        return false;
    files_[*std::move(handle)] = file;
    kind_ = Kind::fanotify;
    return true;
}

void FileEvents::watch(const Fifo& fifo, int file) {
    if (kind_ != Kind::inotify && try_fanotify(fifo, file)) return;
    if (kind_ == Kind::fanotify) throw SysError("watch", fifo.name);
    if (kind_ == Kind::undecided) use_inotify();
    const int number = sys::call("inotify_add_watch", ::inotify_add_watch, queue_.get(),
                                 fifo.path().c_str(), inotify_mask);
    if (number < 0) throw SysError("watch", fifo.name);
    files_[fmt::format("{}", number)] = file;
}

void FileEvents::forget(int file) {
    // The kernel stops its events when the inode goes. Until then, we find no file for them.
    std::erase_if(files_, [file](const auto& entry) { return entry.second == file; });
}

const FileEvents::Batch& FileEvents::next() {
    std::array<char, 16384> buffer;
    batch_.events.clear();
    batch_.overflow = false;
    // Read on until there is an event that another process caused.
    while (batch_.events.empty() && !batch_.overflow) {
        const ssize_t got = sys::call("read", ::read, queue_.get(),
                                      static_cast<void*>(buffer.data()), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) break;
        if (got < 0) throw SysError("read", "file events");
        if (kind_ == Kind::fanotify)
            read_fanotify(buffer.data(), static_cast<std::size_t>(got));
        else
            read_inotify(buffer.data(), static_cast<std::size_t>(got));
    }
    return batch_;
}

void FileEvents::add(const std::string& key, FileEvent event) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    event.file = found->second;
    batch_.events.push_back(event);
}

void FileEvents::read_fanotify(const char* from, std::size_t size) {
    const pid_t self = ::getpid();
    // Copy each event, because it can be misaligned: the handle before it may have any length.
    fanotify_event_metadata event{};
    for (const char* const end = from + size; from < end; from += event.event_len) {
        std::memcpy(&event, from, sizeof event);
        if ((event.mask & FAN_Q_OVERFLOW) != 0) batch_.overflow = true;
        // Without privilege, the kernel shows other pids as 0, but always shows our own.
        if (event.pid == self) continue;
        auto key = handle_in(from + sizeof event, from + event.event_len);
        if (!key) continue;
        add(*key, {.opened = (event.mask & FAN_OPEN) != 0,
                   .read = (event.mask & FAN_ACCESS) != 0,
                   .closed = (event.mask & FAN_CLOSE_NOWRITE) != 0,
                   .renamed = (event.mask & (FAN_ATTRIB | FAN_MOVE_SELF)) != 0});
    }
}

void FileEvents::read_inotify(const char* from, std::size_t size) {
    for (const char* const end = from + size; from < end;) {
        inotify_event event{};
        std::memcpy(&event, from, sizeof event);
        from += sizeof event + event.len;
        if ((event.mask & IN_Q_OVERFLOW) != 0) batch_.overflow = true;
        add(fmt::format("{}", event.wd),
            {.opened = (event.mask & IN_OPEN) != 0,
             .read = (event.mask & IN_ACCESS) != 0,
             .closed = (event.mask & IN_CLOSE_NOWRITE) != 0,
             .renamed = (event.mask & (IN_ATTRIB | IN_MOVE_SELF)) != 0});
    }
}

} // namespace ipcbox::fifo
