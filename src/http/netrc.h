// The .netrc file, in which users keep their passwords for hosts (netrc(5); curl and ftp read it,
// too):
//     machine example.org login alice password "a b"
//     default login anonymous password alice@
#pragma once

#include "http/url.h"

#include <string>
#include <string_view>

namespace ipcbox::http {

// Of the first entry for HOST (in lower case, as a Url has it), or the default one where that comes
// first; with a USER, of the first of those whose login that is. Either part may be empty. Words
// may stand in double quotes, with \" \\ \n \r \t in them; a word that begins with # begins a
// comment, to the end of the line; a macro (macdef) goes to the next empty line. Words that nobody
// knows are skipped. Throws Error for a quote that nobody closes.
[[nodiscard]] std::optional<Credentials>
credentials_for(std::string_view netrc, std::string_view host, std::string_view user = {});

// The text of the file; empty when there is none. Throws SysError, and Error when it has more than
// a MiB.
[[nodiscard]] std::string load_netrc(const std::string& path);

} // namespace ipcbox::http
