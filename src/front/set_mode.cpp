#include "front/set_mode.h"

#include "cli/values.h"

#include <stdexcept>

namespace ipcbox::front {

mode_t parse_set_mode(std::string_view text) {
    constexpr mode_t owner = 0600;
    const mode_t mode = cli::parse_mode(text);
    if ((mode & owner) != owner)
        throw std::invalid_argument(
            "expected a mode with access for the owner, such as 600 or 660");
    return mode;
}

} // namespace ipcbox::front
