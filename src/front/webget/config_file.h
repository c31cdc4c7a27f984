// The file of -K: curl's configuration files, one option on each line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// The command line's words for TEXT:
//     # a comment
//     url = "https://example.org/"
//     user-agent: someone
//     --silent
//     -o file
// A value in double quotes can have \" \\ \n \r \t \v in it; without quotes it ends at a blank.
// Throws std::invalid_argument for a quote that is not closed, and for text after the value.
[[nodiscard]] std::vector<std::string> config_words(std::string_view text);

} // namespace ipcbox::front
