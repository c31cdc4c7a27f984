// Servers as sources of bytes, for magic-cat --net: tcp:HOST:PORT, unix:PATH, http:// and https://
// URLs. A server of the first two kinds is sent nothing but the end of our side, as
// `nc -N HOST PORT </dev/null` does, so that a server that waits for a request does not hold us up.
// A document is fetched as webget -fL does.
#pragma once

#include "core/error.h"
#include "download/target.h"

#include <string>
#include <string_view>

namespace ipcbox::front {

[[nodiscard]] bool names_server(std::string_view argument);

// Reads all that the server ARGUMENT has, and writes it to standard output. FILTER is given each
// piece and an empty one at the end, and returns what to write; without one, the bytes stay as they
// are.
//
// Throws Error that names ARGUMENT when it cannot be read to its end: LostOutput when that is
// standard output's fault.
void write_from_server(const std::string& argument, const download::OutputFilter& filter);

class LostOutput : public Error {
  public:
    using Error::Error;
};

} // namespace ipcbox::front
