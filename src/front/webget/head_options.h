// -D: the heads of all answers in a file.
#pragma once

#include "download/ordered_output.h"
#include "download/target.h"

#include <string>

namespace ipcbox::front {

// Lets DOWNLOAD write each head to FILE, which begins empty; "-" is OUTPUT, in the document's turn.
// Throws SysError.
void dump_heads(download::DownloadOptions& download, const std::string& file,
                download::OrderedOutput& output);

} // namespace ipcbox::front
