#include "download/part_file.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/io.h"
#include "core/syscall.h"
#include "http/failure.h"

#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::download {

namespace {

constexpr mode_t new_file_mode = 0666; // without the umask
// A URL, as long as an argument can be (execve(2)) and percent-encoded, and an ETag as long as a
// head can be.
constexpr std::size_t most_version_bytes = 1024UL * 1024;
// As many as the kernel follows (path_resolution(7)).
constexpr int most_links = 40;

std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) == 0) return status;
    if (errno == ENOENT) return std::nullopt;
    throw SysError("write", path);
}

void unlink_quietly(const std::string& path) noexcept {
    sys::call("unlink", ::unlink, path.c_str());
}

void truncate(const Fd& file, const std::string& name) {
    while (sys::call("ftruncate", ::ftruncate, file.get(), off_t{0}) < 0)
        if (errno != EINTR) throw SysError("write", name);
    if (sys::call("lseek", ::lseek, file.get(), off_t{0}, SEEK_SET) < 0)
        throw SysError("write", name);
}

// Where a link points, so that the link stays; nothing has to be there yet.
std::string without_links(const std::string& name) {
    std::filesystem::path target{name};
    std::error_code ignored;
    for (int links = 0; std::filesystem::is_symlink(target, ignored); ++links) {
        if (links == most_links) return name;
        target = target.parent_path() / std::filesystem::read_symlink(target, ignored);
    }
    return target.string();
}

} // namespace

PartFile::PartFile(const std::string& name, std::string url, Leftover leftover)
    : name_(without_links(name)), part_name_(name_ + ".part"),
      version_name_(part_name_ + ".version"), url_(std::move(url)) {
    lock(name);
    if (leftover == Leftover::take_up && is_taken_up(url_)) return;
    restart({});
}

PartFile::~PartFile() {
    if (part_ && size_ == 0) discard();
}

void PartFile::lock(const std::string& name) {
    for (;;) {
        part_ = open_file(part_name_, O_RDWR | O_CREAT | O_NOFOLLOW, new_file_mode);
        while (sys::call("flock", ::flock, part_.get(), LOCK_EX | LOCK_NB) < 0) {
            if (errno == EWOULDBLOCK)
                throw http::TransferError(
                    fmt::format("cannot write {}: another process is at work on {}", name,
                                part_name_),
                    http::status::cannot_write);
            if (errno != EINTR) throw SysError("lock", part_name_);
        }
        // Renamed by who had it before, between our open and our lock?
        struct stat locked {};
        if (sys::call("fstat", ::fstat, part_.get(), &locked) < 0)
            throw SysError("lock", part_name_);
        const auto named = status_of(part_name_);
        if (named && FileIdentity{*named} == FileIdentity{locked}) return;
    }
}

bool PartFile::is_taken_up(const std::string& url) {
    const auto part = status_of(part_name_);
    if (!part || part->st_size == 0 || !status_of(version_name_)) return false;
    const auto text =
        read_to_end(open_file(version_name_, O_RDONLY).get(), most_version_bytes, version_name_);
    // "URL\nVERSION\n"
    if (!text.starts_with(url + '\n') || !text.ends_with('\n')) return false;
    version_ = text.substr(url.size() + 1, text.size() - url.size() - 2);
    if (version_.empty() || version_.find('\n') != std::string::npos) return false;
    size_ = static_cast<std::uint64_t>(part->st_size);
    if (sys::call("lseek", ::lseek, part_.get(), off_t{0}, SEEK_END) < 0)
        throw SysError("write", part_name_);
    return true;
}

// Written before what it belongs to.
void PartFile::record(std::string_view version) {
    version_ = version;
    if (version.empty()) return unlink_quietly(version_name_);
    Fd file = open_file(version_name_, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
    write_all(file.get(), fmt::format("{}\n{}\n", url_, version), version_name_);
    file.close(version_name_);
}

void PartFile::restart(std::string_view version) {
    record({});
    truncate(part_, part_name_);
    size_ = 0;
    record(version);
}

void PartFile::continue_existing(std::string_view version) {
    restart({});
    const Fd existing = open_file(name_, O_RDONLY);
    for (;;) {
        constexpr std::size_t most_at_once = 1UL << 30;
        const ssize_t copied = sys::call("copy_file_range", ::copy_file_range, existing.get(),
                                         static_cast<off64_t*>(nullptr), part_.get(),
                                         static_cast<off64_t*>(nullptr), most_at_once, 0U);
        if (copied < 0) throw SysError("write", part_name_);
        if (copied == 0) break;
        size_ += static_cast<std::uint64_t>(copied);
    }
    record(version);
}

void PartFile::finish() {
    // Who replaces a file leaves its permissions as they were.
    if (const auto replaced = status_of(name_))
        (void)sys::call("fchmod", ::fchmod, part_.get(), replaced->st_mode & 07777U);
    while (sys::call("fsync", ::fsync, part_.get()) < 0)
        if (errno != EINTR) throw SysError("write", part_name_);
    if (sys::call("rename", ::rename, part_name_.c_str(), name_.c_str()) < 0)
        throw SysError("write", name_);
    unlink_quietly(version_name_);
    part_.close(name_);
}

void PartFile::discard() noexcept {
    unlink_quietly(version_name_);
    unlink_quietly(part_name_);
    part_ = Fd{};
}

ExistingFile look_at(const std::string& name) {
    const auto status = status_of(name);
    if (!status) return {};
    if (!S_ISREG(status->st_mode)) return {ExistingFile::Kind::special, 0, 0};
    return {ExistingFile::Kind::regular, static_cast<std::uint64_t>(status->st_size),
            status->st_mtime};
}

} // namespace ipcbox::download
