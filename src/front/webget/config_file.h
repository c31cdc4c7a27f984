// The file of -K: curl's configuration files, one option on each line.
#pragma once

#include "cli/declarations.h"

#include <string_view>
#include <vector>

namespace ipcbox::front {

// The command line's words for TEXT, which the file NAME contains:
//     # a comment
//     url = "https://example.org/"
//     user-agent: someone
//     --silent
//     -o file
// A value in double quotes can have \" \\ \n \r \t \v in it; without quotes it ends at a blank.
// Throws std::invalid_argument, with NAME and the line, for a quote that is not closed, and for
// text after the value.
[[nodiscard]] std::vector<cli::PlacedWord> config_words(std::string_view text,
                                                        std::string_view name);

} // namespace ipcbox::front
