// The .netrc file, in which users keep their passwords for hosts (netrc(5)). curl and ftp read it
// too:
//     machine example.org login alice password "a b"
//     default login anonymous password alice@
#pragma once

#include "http/url.h"

#include <string>
#include <string_view>

namespace ipcbox::http {

// The login of the first entry for HOST (in lower case, as a Url has it), or of the default entry
// where that comes first. With a USER, only an entry with that login counts. Either part of the
// result may be empty.
//
// A word may stand in double quotes, with \" \\ \n \r \t in it. A # where a keyword can stand
// begins a comment; a value may begin with #. A missing value never swallows the next "machine", so
// a password "machine" must be quoted. A macro (macdef) ends at the next empty line. Unknown words
// are skipped. Throws Error for a quote that is not closed.
[[nodiscard]] std::optional<Credentials>
credentials_for(std::string_view netrc, std::string_view host, std::string_view user = {});

// The text of the file; empty when there is no file. Throws SysError, and Error when it is larger
// than 1 MiB.
[[nodiscard]] std::string load_netrc(const std::string& path);

} // namespace ipcbox::http
