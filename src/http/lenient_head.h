// Heads with the common mistakes of servers, which browsers and curl forgive.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::http {

// HEAD in the grammar of RFC 9112, as far as there is only one way to read it:
// - Each line ends with CR LF, and a space follows the status (sections 2.2 and 4).
// - A field whose name is not a token is left out, and so are the blanks before a colon. A control
//   character in a value becomes a space, except NUL (RFC 9110, section 5.5).
// - Equal lengths become one (RFC 9110, section 8.6). "identity" is left out of the transfer
//   codings, and a repeated "chunked" becomes one; then the lengths are left out, because they do
//   not count (RFC 9112, section 6.3).
// All other mistakes stay, and the grammar refuses them. A connection on which such a head came
// must not be used again, because another reader may have understood the head in another way.
[[nodiscard]] std::string mended_head(std::string_view head);

} // namespace ipcbox::http
