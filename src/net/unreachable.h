// Nobody answers there, at least not now: the name is unknown, the connection refused, the socket's
// file missing. A client that waits for a server to start tries again after this.
#pragma once

#include "core/error.h"

namespace ipcbox::net {

class Unreachable : public Error {
  public:
    using Error::Error;
};

// The machine answers, and says that nobody listens there: each of its addresses refused the
// connection, or a Unix socket's file is missing or dead. A name that is unknown and a machine that
// is silent are no such answer.
class Refused : public Unreachable {
  public:
    using Unreachable::Unreachable;
};

} // namespace ipcbox::net
