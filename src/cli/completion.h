// Completion scripts, from the declarations that also make --help.
#pragma once

#include "applet.h"

namespace ipcbox::cli {

// Prints a script for SHELL (bash, zsh or fish) that completes every applet's options, called by
// its own name or through ipcbox. Throws UsageError for another shell.
void print_completion(std::span<const AppletRow> applets, std::string_view shell);

} // namespace ipcbox::cli
