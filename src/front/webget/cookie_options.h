// -b and -c: which cookies are sent, and where received cookies are stored.
#pragma once

#include "front/webget/line.h"
#include "front/webget/options.h"

namespace ipcbox::front {

// Reads the cookie files and lets CONFIG's downloads use the jar. CONFIG must have its targets.
// Throws TransferError for a file that cannot be read; as in curl, a missing file counts as empty.
void set_cookies(const Line& line, FetchConfig& config);

// Writes CONFIG's jar to its file, which is replaced as a whole, or to standard output for "-".
// Throws SysError.
void write_cookies(const FetchConfig& config);

} // namespace ipcbox::front
