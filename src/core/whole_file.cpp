#include "core/whole_file.h"

#include "core/error.h"
#include "core/path.h"
#include "core/random.h"
#include "core/syscall.h"

#include <cstdio>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// Where the links that begin at NAME end. Its last name need not exist.
std::string behind_links(std::string name) {
    constexpr int max_links = 40; // as the kernel has it
    for (int count = 0; count < max_links; ++count) {
        const auto target = read_link(name);
        if (!target) return name;
        name = target->starts_with('/') ? *target : directory_of(name) + "/" + *target;
    }
    throw SysError("write", name, ELOOP);
}

// For an error in what is done anyway, and is not worth a failure.
void sync_directory(const std::string& name) {
    try {
        const Fd directory = open_file(directory_of(name), O_RDONLY | O_DIRECTORY);
        sys::call("fsync", ::fsync, directory.get());
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): we may write there, but not read
    }
}

} // namespace

WholeFile::WholeFile(const std::string& name) : name_(behind_links(name)) {
    constexpr mode_t everybody = 0666; // as far as the umask allows
    RandomNumbers numbers;
    for (;;) {
        const auto part = fmt::format("{}.{:08x}.part", name_, numbers.next() & 0xffffffff);
        try {
            file_ = open_file(part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, everybody);
        } catch (const SysError& error) {
            if (error.error() == EEXIST) continue;
            throw SysError("write", name, error.error());
        }
        part_name_ = part;
        break;
    }
    try {
        take_after(name);
    } catch (...) {
        sys::call("unlink", ::unlink, part_name_.c_str());
        throw;
    }
}

void WholeFile::take_after(const std::string& replaced) {
    struct stat status {};
    if (sys::call("stat", ::stat, name_.c_str(), &status) < 0) {
        if (errno == ENOENT) return;
        throw SysError("look at", replaced);
    }
    if (!S_ISREG(status.st_mode))
        throw Error(fmt::format("cannot replace {}: it is not a regular file", replaced));
    constexpr mode_t permissions = 07777;
    // Only root may give a file away. A group of ours we may give it.
    if (sys::call("fchown", ::fchown, file_.get(), status.st_uid, status.st_gid) < 0)
        sys::call("fchown", ::fchown, file_.get(), static_cast<uid_t>(-1), status.st_gid);
    if (sys::call("fchmod", ::fchmod, file_.get(), status.st_mode & permissions) < 0)
        throw SysError("set the mode of", part_name_);
}

WholeFile::~WholeFile() {
    if (!part_name_.empty()) sys::call("unlink", ::unlink, part_name_.c_str());
}

void WholeFile::commit() {
    while (sys::call("fsync", ::fsync, file_.get()) < 0)
        if (errno != EINTR) throw SysError("write", name_);
    file_.close(name_);
    if (sys::call("rename", ::rename, part_name_.c_str(), name_.c_str()) < 0)
        throw SysError("replace", name_);
    part_name_.clear();
    sync_directory(name_);
}

} // namespace ipcbox
