// The name that a server suggests for a file of ours.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::download {

// The file name in a Content-Disposition field (RFC 6266): filename*=UTF-8''… before filename=….
// Only what follows the last slash or backslash counts; control characters, and a dot in front,
// become '_'. Empty when it names no file.
[[nodiscard]] std::string suggested_file_name(std::string_view content_disposition);

} // namespace ipcbox::download
