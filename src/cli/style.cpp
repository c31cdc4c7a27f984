#include "cli/style.h"

#include "cli/output.h"

#include <cstdlib>
#include <fmt/core.h>

namespace ipcbox::cli {

Style Style::for_output(int fd) {
    if (!is_terminal(fd)) return none();
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    const std::string_view kind = terminal != nullptr ? terminal : "";
    const bool unwanted = no_colour != nullptr && *no_colour != '\0';
    return Style{!unwanted && !kind.empty() && kind != "dumb"};
}

std::string Style::painted(std::string_view text, std::string_view code) const {
    if (!is_coloured_) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

} // namespace ipcbox::cli
