// The permissions of a semaphore set, for -m of sem-create and sem-take.
#pragma once

#include <string_view>
#include <sys/types.h>

namespace ipcbox::front {

// "600", "0660": octal permission bits. To take a token, a process has to read and change the set.
// So a mode that does not let the owner do both is refused: not even the process that creates the
// set could complete it. Throws std::invalid_argument.
[[nodiscard]] mode_t parse_set_mode(std::string_view text);

} // namespace ipcbox::front
