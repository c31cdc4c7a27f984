// The public suffix list (https://publicsuffix.org): the domains below which anybody can register a
// name, such as "com", "co.uk" and "github.io". A cookie for one of them would go to strangers.
#pragma once

#include <string>

namespace ipcbox::cookies {

// DOMAIN in lower case, without a dot at either end; a name beyond ASCII in its xn-- form. Uses the
// system's list (Debian's package publicsuffix) if it is newer than the one we were built with.
[[nodiscard]] bool is_public_suffix(const std::string& domain);

} // namespace ipcbox::cookies
