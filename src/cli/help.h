// The help of an applet, 80 columns wide.
#pragma once

#include "cli/declarations.h"

namespace ipcbox::cli {

// Prints all of it on standard output.
void print_help(const Declarations& declared);

// The lines of the help on one option or operand, each with its line feed.
[[nodiscard]] std::string help_row(const Declaration& declaration);

// The first line of the help, with its line feed.
[[nodiscard]] std::string usage_line(const Declarations& declared);

} // namespace ipcbox::cli
