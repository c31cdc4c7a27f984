// Heads with the common mistakes of servers, which browsers and curl forgive.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::http {

// HEAD as the grammar of RFC 9112 wants it, where there is one way to read it:
// - Lines end with CR LF, and a space stands behind the status (sections 2.2 and 4).
// - A field whose name is no name is left out; blanks before a colon, too. A control character in a
//   value becomes a space, except NUL (RFC 9110, section 5.5).
// - Several lengths that agree are one (RFC 9110, section 8.6). "identity" is no transfer coding,
//   and "chunked" stands once; beside it a length does not count (RFC 9112, section 6.3).
// Everything else stays as it is, for the grammar to refuse. A connection on which such a head came
// must not be used again: another reader may have understood it otherwise.
[[nodiscard]] std::string mended_head(std::string_view head);

} // namespace ipcbox::http
