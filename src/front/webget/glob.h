// Several URLs in one word, as in curl: http://host/{one,two}/[01-20].png
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

struct GlobbedUrl {
    std::string url;
    std::vector<std::string> values; // the text that each {} and [] became, in order
};

// TEXT with each {a,b} and [1-10] replaced by each of its values; the last one changes fastest.
// "[001-100]" keeps its zeros, "[a-z]" counts letters, and a ":2" before the ] is a step. A "\"
// before one of {}[], makes it an ordinary character, and an IPv6 address in brackets stays as it
// is. Throws std::invalid_argument for a brace or bracket that is not closed or is no range, and
// for more than a million URLs.
[[nodiscard]] std::vector<GlobbedUrl> expand_globs(std::string_view text);

// NAME, for -o, with each #1 replaced by the first of VALUES, #2 by the second, and so on. A number
// without a value stays.
[[nodiscard]] std::string fill_in(std::string_view name, const std::vector<std::string>& values);

} // namespace ipcbox::front
