// The words of a command line, read by what the applet has declared.
#pragma once

#include "cli/declarations.h"

#include <optional>

namespace ipcbox::cli {

// An option with its value, or an operand.
struct Given {
    const Declaration* declaration;
    std::string value; // of a flag: empty, or "no" when it is turned off
};

struct CommandLine {
    std::vector<Given> given;              // in the order of the line
    std::optional<std::string> unexpected; // the first operand beyond those declared
    bool lacks_command = false;            // "--" stands last, before no command
};

// Reads ARGUMENTS, marks what is given in DECLARED, and fills its command. No value is interpreted
// yet, because --help has to work on a line with other mistakes. Throws UsageError for unknown
// options, and for values that are missing or too much.
[[nodiscard]] CommandLine read_command_line(Declarations& declared,
                                            std::span<char* const> arguments);

} // namespace ipcbox::cli
