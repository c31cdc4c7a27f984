// What ipcbox itself says of its applets.
#pragma once

#include "applet.h"

#include <span>
#include <string>
#include <string_view>

namespace ipcbox::cli {

// Prints the help of ipcbox: each applet with its summary, by what it is for.
void print_box_help(std::span<const AppletRow> applets);

// The names of the applets, in a line for each group, and what to ask next. For a terminal.
[[nodiscard]] std::string groups_of(std::span<const AppletRow> applets);

// Becomes man(1) with the manual page of APPLET where standard output is a terminal and man finds
// the page; else returns. Throws SysError.
void open_manual_page(std::string_view applet);

} // namespace ipcbox::cli
