// Reads the words of a command line according to the declarations of the applet.
#pragma once

#include "cli/declarations.h"

#include <optional>

namespace ipcbox::cli {

// An option with its value, or an operand.
struct Given {
    const Declaration* declaration;
    std::string value; // of a flag: empty, or "no" when it is turned off
    std::string place; // "FILE:LINE" when it came from a file
};

// How an error about something at PLACE begins: "FILE:LINE: ", or nothing on the line itself.
[[nodiscard]] std::string place_prefix(std::string_view place);

struct CommandLine {
    std::vector<Given> given;              // in the order of the line
    std::optional<std::string> unexpected; // the first operand beyond those declared
    bool lacks_command = false;            // "--" stands last, before no command
};

// Reads ARGUMENTS, marks the given options in DECLARED, and fills its command. No value is
// interpreted yet, because --help has to work on a line with other mistakes. Throws UsageError for
// an unknown option, a missing value, or a value that an option does not take.
[[nodiscard]] CommandLine read_command_line(Declarations& declared,
                                            std::span<char* const> arguments);

} // namespace ipcbox::cli
