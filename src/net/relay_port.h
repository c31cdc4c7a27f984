// A descriptor that a relay (net/relay.h) reads or writes.
#pragma once

#include "net/relay.h"

#include <string_view>

namespace ipcbox::net {

struct RelayPort {
    enum class Kind { pipe, socket, file, other };

    int fd;
    Kind kind;
    std::string_view name;
    RelayEnd::Ownership ownership;

    // The two sides of an end. Throws SysError at once for a descriptor that was opened for the
    // other direction.
    [[nodiscard]] static RelayPort source(const RelayEnd& end);
    [[nodiscard]] static RelayPort sink(const RelayEnd& end);

    // Whether a call on it never waits, even without poll(2): pipes have SPLICE_F_NONBLOCK, our
    // sockets O_NONBLOCK, and files do not wait.
    [[nodiscard]] bool never_waits_in_splice() const;
};

} // namespace ipcbox::net
