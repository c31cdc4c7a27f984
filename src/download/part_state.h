// The text of a state file: of which document, and of which version of it, the bytes in a part file
// (download/part_file.h) are.
#pragma once

#include "download/resumption.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::download {

[[nodiscard]] std::string part_state(const std::string& url, const DocumentVersion& version);
// The version of the bytes. Nothing when TEXT is not of the document at URL, is damaged, or has no
// version that a server could continue.
[[nodiscard]] std::optional<DocumentVersion> parse_part_state(std::string_view text,
                                                              const std::string& url);

} // namespace ipcbox::download
