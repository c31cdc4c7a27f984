// The server does not answer, at least not now: the name is unknown, the connection was refused, or
// the socket's file is missing. A client that waits for a server to start tries again after this.
#pragma once

#include "core/error.h"

namespace ipcbox::net {

class Unreachable : public Error {
  public:
    using Error::Error;
};

// The machine answers that no server listens there: each of its addresses refused the connection,
// or a Unix socket's file is missing or dead. An unknown name and a silent machine are not Refused.
class Refused : public Unreachable {
  public:
    using Unreachable::Unreachable;
};

} // namespace ipcbox::net
