#include "server/access_file.h"

#include "core/fd.h"
#include "core/io.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace ipcbox::server {

namespace {

constexpr std::size_t max_bytes = 4UL * 1024 * 1024;

std::chrono::nanoseconds since_epoch(const timespec& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

} // namespace

AccessFile::Version::Version(const struct stat& status)
    : identity(status), size(status.st_size), modified(since_epoch(status.st_mtim)),
      changed(since_epoch(status.st_ctim)) {}

// File times advance in steps of up to 10 ms. A second change within the same step leaves no trace.
bool AccessFile::Version::is_settled() const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return now - changed > std::chrono::milliseconds{50};
}

AccessFile::AccessFile(std::string path) : path_(std::move(path)) {
    load();
}

void AccessFile::load() {
    // Without O_NONBLOCK, a FIFO would make us wait for a writer.
    const Fd file = open_file(path_, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("inspect", path_);
    if (!S_ISREG(status.st_mode))
        throw Error("cannot read the rules in " + path_ + ": it is not a regular file");
    // We have seen this version, whether its rules are right or wrong. If a system call fails, try
    // it again.
    const Version version{status};
    seen_ = version.is_settled() ? std::optional{version} : std::nullopt;
    std::string text;
    try {
        text = read_to_end(file.get(), max_bytes, path_);
    } catch (const SysError&) {
        seen_.reset();
        throw;
    }
    rules_ = AccessRules::parse(text, path_);
}

void AccessFile::note(const char* error) {
    if (error_ == error) return;
    error_ = error;
    is_told_ = false;
}

const AccessRules& AccessFile::current() {
    try {
        struct stat status {};
        if (sys::call("stat", ::stat, path_.c_str(), &status) < 0) {
            seen_.reset();
            throw SysError("inspect", path_);
        }
        if (seen_ == Version{status}) return rules_;
        load();
        error_.clear();
        is_told_ = true;
    } catch (const Error& error) {
        note(error.what());
    }
    return rules_;
}

std::optional<std::string> AccessFile::take_error() {
    if (is_told_) return std::nullopt;
    is_told_ = true;
    return error_;
}

} // namespace ipcbox::server
