#include "cli/version_line.h"

namespace ipcbox::cli {

namespace {

constinit std::string_view the_line;

} // namespace

void set_version_line(std::string_view line) noexcept {
    the_line = line;
}

std::string_view version_line() noexcept {
    return the_line;
}

} // namespace ipcbox::cli
