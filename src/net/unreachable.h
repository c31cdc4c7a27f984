// Nobody answers there, at least not now: the name is unknown, the connection refused, the socket's
// file missing. Who waits for a server that is about to start tries again after this, and after
// nothing else.
#pragma once

#include "core/error.h"

namespace ipcbox::net {

class Unreachable : public Error {
  public:
    using Error::Error;
};

} // namespace ipcbox::net
