#include "net/relay_port.h"

#include "core/error.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace ipcbox::net {

namespace {

// Rejects at once a descriptor that was opened for the other direction. Later splice(2) and
// sendfile(2) would fail with EBADF for either side, and we could not tell which.
RelayPort::Kind kind_of(int fd, int other_access, std::string_view verb, std::string_view name) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) throw SysError(verb, name);
    const int flags = sys::call("fcntl", ::fcntl, fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == other_access) throw SysError(verb, name, EBADF);
    if (S_ISFIFO(status.st_mode)) return RelayPort::Kind::pipe;
    if (S_ISSOCK(status.st_mode)) return RelayPort::Kind::socket;
    return S_ISREG(status.st_mode) ? RelayPort::Kind::file : RelayPort::Kind::other;
}

} // namespace

RelayPort RelayPort::source(const RelayEnd& end) {
    return {end.in, kind_of(end.in, O_WRONLY, "read", end.in_name), end.in_name, end.ownership};
}

RelayPort RelayPort::sink(const RelayEnd& end) {
    return {end.out, kind_of(end.out, O_RDONLY, "write", end.out_name), end.out_name,
            end.ownership};
}

bool RelayPort::never_waits_in_splice() const {
    return kind == Kind::pipe || kind == Kind::file ||
           (kind == Kind::socket && ownership == RelayEnd::Ownership::ours);
}

} // namespace ipcbox::net
