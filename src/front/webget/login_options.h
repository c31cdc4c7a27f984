// Logins and redirects: which login goes to which server, and where a redirect is allowed to lead.
#pragma once

#include "download/target.h"
#include "front/webget/line.h"

namespace ipcbox::front {

// Reads the netrc file if the user wants that. Throws UsageError for a login without a password.
void set_logins(const Line& line, download::DownloadOptions& download);

// --proto, --proto-redir: a redirect from https to http is followed only if the user allows http by
// --proto-redir.
void set_redirect_rule(const Line& line, download::DownloadOptions& download);

} // namespace ipcbox::front
