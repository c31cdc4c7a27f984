// The texts of ipcbox itself about its applets.
#pragma once

#include "applet.h"

#include <span>
#include <string>
#include <string_view>

namespace ipcbox::cli {

// Prints the help of ipcbox: each applet with its summary, grouped by purpose.
void print_box_help(std::span<const AppletRow> applets);

// The names of the applets, one line for each group, and how to learn more. For a terminal.
[[nodiscard]] std::string groups_of(std::span<const AppletRow> applets);

// If standard output is a terminal and man(1) finds the page of APPLET, becomes man(1) with it.
// Otherwise returns. Throws SysError.
void open_manual_page(std::string_view applet);

} // namespace ipcbox::cli
