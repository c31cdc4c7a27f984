#include "download/part_file.h"

#include "core/error.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/stream_copy.h"
#include "core/syscall.h"
#include "core/whole_file.h"
#include "download/part_name.h"
#include "download/part_state.h"
#include "download/place.h"
#include "http/failure.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::download {

namespace {

constexpr mode_t permissions = 07777;
// A URL, as long as an argument can be (execve(2)) and percent-encoded, and an ETag as long as a
// head can be.
constexpr std::size_t max_state_bytes = 1024UL * 1024;
constexpr int max_tries = 10; // random names
constexpr std::uint64_t write_back_size = 16UL * 1024 * 1024;

void unlink_quietly(const std::string& path) noexcept {
    sys::call("unlink", ::unlink, path.c_str());
}

struct stat status_of_open(const Fd& file, const std::string& name) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("write", name);
    return status;
}

void seek(const Fd& file, off_t offset, int whence, const std::string& name) {
    if (sys::call("lseek", ::lseek, file.get(), offset, whence) < 0) throw SysError("write", name);
}

// Sets the date of FILE. Without MODIFIED, FILE keeps the time of its last write.
void date(const Fd& file, const std::optional<std::time_t>& modified, const std::string& name) {
    if (!modified) return;
    const std::array<timespec, 2> times{timespec{0, UTIME_NOW}, timespec{*modified, 0}};
    if (sys::call("futimens", ::futimens, file.get(), times.data()) < 0)
        throw SysError("date", name);
}

// Throws when we cannot find out, because a file that may belong to another program must not be
// taken for ours.
bool is_there(const std::string& path) {
    struct stat status {};
    if (sys::call("lstat", ::lstat, path.c_str(), &status) == 0) return true;
    if (errno == ENOENT) return false;
    throw SysError("write", path);
}

// Whether ERROR means that a directory, a mount or a file's owner does not let us replace the file.
bool forbids_new_file(int error) {
    return error == EACCES || error == EPERM || error == EROFS;
}
bool forbids_replacement(int error) {
    return error == EBUSY || error == EXDEV || forbids_new_file(error);
}

} // namespace

PartFile::PartFile(const std::string& name, std::string url, Begin begin)
    : name_(without_links(name)), url_(std::move(url)) {
    require_writable(AT_FDCWD, name_, name_); // before the transfer
    open(name);
    if (in_place_) return;
    if (begin == Begin::where_it_broke_off && is_taken_up()) return;
    set_file_size(part_.get(), 0, part_name_);
    unlink_quietly(state_name_);
    if (const auto replaced = status_of(name_))
        (void)sys::call("fchmod", ::fchmod, part_.get(), replaced->st_mode & permissions);
}

PartFile::~PartFile() {
    if (part_ && size_ == 0 && !in_place_) discard();
}

void PartFile::open(const std::string& name) {
    bool is_open = open_with(tail_for(name_), O_CREAT);
    if (is_open && !in_place_) lock(name);
    for (int tries = 0; !is_open && tries < max_tries; ++tries)
        is_open = open_with(random_tail(), O_CREAT | O_EXCL);
    if (!is_open) throw SysError("write", name, EEXIST);
}

// False when something else has this name.
bool PartFile::open_with(const std::string& tail, int flags) {
    auto names = part_names(name_, tail);
    part_name_ = std::move(names.part);
    state_name_ = std::move(names.state);
    try {
        part_ = open_file(part_name_, O_RDWR | O_NOFOLLOW | flags, new_file_mode);
    } catch (const SysError& error) {
        const int reason = error.error();
        if (reason == EISDIR || reason == ELOOP || reason == EEXIST || reason == ENXIO ||
            (forbids_new_file(reason) && is_there(part_name_)))
            return false;
        if (forbids_new_file(reason) && open_in_place()) return true;
        throw SysError("write", name_, reason);
    }
    if ((flags & O_EXCL) == 0 && is_ours()) return true;
    if ((flags & O_EXCL) != 0) {
        if (try_to_lock()) return true;
        throw SysError("lock", part_name_, EWOULDBLOCK);
    }
    part_ = Fd{};
    return false;
}

// A file that is not empty must have a state beside it, and no other user can have changed it.
bool PartFile::is_ours() const {
    const auto status = status_of_open(part_, part_name_);
    return S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && status.st_nlink <= 1 &&
           (status.st_size == 0 || is_there(state_name_));
}

bool PartFile::open_in_place() {
    const auto status = status_of(name_);
    if (!status || !S_ISREG(status->st_mode)) return false;
    try {
        part_ = open_file(name_, O_RDWR);
    } catch (const SysError&) {
        return false;
    }
    part_name_ = name_;
    in_place_ = true;
    return true;
}

bool PartFile::try_to_lock() const {
    const auto at_once = Deadline::after(Duration::zero());
    return lock_until(part_.get(), LockKind::exclusive, at_once, part_name_);
}

void PartFile::lock(const std::string& name) {
    for (;;) {
        if (!try_to_lock())
            throw http::TransferError(
                fmt::format("cannot write {}: another process is writing {}", name, part_name_),
                http::status::cannot_write);
        // Another process may have renamed it between our open and our lock.
        if (has_name(part_, AT_FDCWD, part_name_, part_name_)) return;
        part_ = open_file(part_name_, O_RDWR | O_CREAT | O_NOFOLLOW, new_file_mode);
    }
}

bool PartFile::is_taken_up() {
    const auto part = status_of_open(part_, part_name_);
    if (part.st_size == 0 || !status_of(state_name_)) return false;
    const auto state =
        read_to_end(open_file(state_name_, O_RDONLY).get(), max_state_bytes, state_name_);
    auto version = parse_part_state(state, url_);
    if (!version) return false;
    version_ = *std::move(version);
    size_ = static_cast<std::uint64_t>(part.st_size);
    seek(part_, 0, SEEK_END, part_name_);
    return true;
}

// Writes the state before the bytes that it describes.
void PartFile::record(const DocumentVersion& version) {
    version_ = version;
    if (in_place_) return;
    Fd file = open_file(state_name_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, new_file_mode);
    write_all(file.get(), part_state(url_, version), state_name_);
    file.close(state_name_);
}

void PartFile::restart(const DocumentVersion& version) {
    set_file_size(part_.get(), 0, part_name_);
    seek(part_, 0, SEEK_SET, part_name_);
    size_ = on_its_way_ = 0;
    record(version);
}

void PartFile::wrote(std::uint64_t bytes) {
    size_ += bytes;
    if (size_ < on_its_way_ + write_back_size) return;
    (void)sys::call("sync_file_range", ::sync_file_range, part_.get(),
                    static_cast<off64_t>(on_its_way_), static_cast<off64_t>(size_ - on_its_way_),
                    unsigned{SYNC_FILE_RANGE_WRITE});
    on_its_way_ = size_;
}

void PartFile::continue_existing(const DocumentVersion& version) {
    if (in_place_) {
        size_ = static_cast<std::uint64_t>(status_of_open(part_, part_name_).st_size);
        seek(part_, 0, SEEK_END, part_name_);
        return;
    }
    restart({});
    const Fd existing = open_file(name_, O_RDONLY);
    copy_stream(existing.get(), part_.get(), no_copy_limit, {part_name_, part_name_});
    size_ = static_cast<std::uint64_t>(status_of_open(part_, part_name_).st_size);
    record(version);
}

// Whether we can replace the file by the part and change nothing except its bytes.
bool PartFile::takes_place_of(const struct stat& replaced) const {
    if (replaced.st_nlink > 1) return false;
    const auto part = status_of_open(part_, part_name_);
    const bool same_owner = part.st_uid == replaced.st_uid && part.st_gid == replaced.st_gid;
    if (!same_owner &&
        sys::call("fchown", ::fchown, part_.get(), replaced.st_uid, replaced.st_gid) < 0)
        return false;
    (void)sys::call("fchmod", ::fchmod, part_.get(), replaced.st_mode & permissions);
    return true;
}

void PartFile::finish() {
    sync_file(part_.get(), part_name_);
    date(part_, modified_, name_);
    if (in_place_) return part_.close(name_);
    const auto replaced = status_of(name_);
    if (replaced && !takes_place_of(*replaced)) return write_in_place();
    // Do this before the rename. Afterwards the state could already be another process's.
    unlink_quietly(state_name_);
    if (sys::call("rename", ::rename, part_name_.c_str(), name_.c_str()) < 0) {
        const int error = errno;
        record(version_);
        if (replaced && forbids_replacement(error)) return write_in_place();
        throw SysError("write", name_, error);
    }
    part_.close(name_);
}

void PartFile::write_in_place() {
    in_place_ = true;
    try {
        Fd file = open_file(name_, O_WRONLY);
        seek(part_, 0, SEEK_SET, part_name_);
        copy_stream(part_.get(), file.get(), no_copy_limit, {name_, name_});
        set_file_size(file.get(), static_cast<off_t>(size_), name_);
        sync_file(file.get(), name_);
        date(file, modified_, name_);
        file.close(name_);
    } catch (const SysError& error) {
        throw SysError("write", name_, error.error());
    }
    discard();
}

void PartFile::discard() noexcept {
    if (part_name_ == name_) {
        // An incomplete file must not look like the document.
        sys::call("ftruncate", ::ftruncate, part_.get(), off_t{0});
    } else {
        unlink_quietly(state_name_);
        unlink_quietly(part_name_);
    }
    part_ = Fd{};
}

} // namespace ipcbox::download
