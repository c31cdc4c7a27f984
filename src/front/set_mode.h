// The permissions of a semaphore set, as sem-create and sem-take have them (-m).
#pragma once

#include <string_view>
#include <sys/types.h>

namespace ipcbox::front {

// "600", "0660": octal permission bits. Taking a token needs to read and to change the set, so a
// mode that does not let the owner do both is refused: its maker could not even finish the set.
// Throws std::invalid_argument.
[[nodiscard]] mode_t parse_set_mode(std::string_view text);

} // namespace ipcbox::front
