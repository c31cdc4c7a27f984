// The parts that the completion scripts of all shells share.
#pragma once

#include "applet.h"
#include "cli/options.h"

#include <span>
#include <string>
#include <string_view>

namespace ipcbox::cli {

// The options of ipcbox itself.
struct BoxOption {
    std::string_view word;
    std::string_view text;
};
constexpr BoxOption box_options[] = {
    {"list", "print the names of the applets"},
    {"install", "make a symbolic link for each applet"},
    {"completion", "print a completion script"},
    {"help", "print the help"},
    {"version", "print the version"},
};

constexpr std::string_view help_text = "open the manual page of an applet";

// All names, with spaces between them.
[[nodiscard]] std::string applet_names(std::span<const AppletRow> applets);

[[nodiscard]] bool has_value(const OptionName& option);
[[nodiscard]] bool has_path(const OptionName& option);

// The options of an applet, or those that take a value, as typed: "-w --wait -E --exit-status".
[[nodiscard]] std::string option_names(const Declared& declared);
[[nodiscard]] std::string names_with_value(const Declared& declared);

// How many operands come before a command; -1, which no countdown reaches, when only "--" ends
// them.
[[nodiscard]] int operand_count(const Declared& declared);

// TEXT with a backslash before each of SPECIAL.
[[nodiscard]] std::string escaped(std::string_view text, std::string_view special);

// Each prints the script for one shell.
void print_bash_completion(std::span<const AppletRow> applets);
void print_fish_completion(std::span<const AppletRow> applets);
void print_zsh_completion(std::span<const AppletRow> applets);

} // namespace ipcbox::cli
