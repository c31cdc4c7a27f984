// UTF-8 (RFC 3629) among arbitrary bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace ipcbox {

// The length of the UTF-8 sequence at the front of TEXT, from 1 to 4 bytes; 0 when there is none.
// Overlong forms, surrogates and values above U+10FFFF do not count as UTF-8.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

// How many bytes at the end of TEXT, at most 3, may be the beginning of a sequence that continues
// after TEXT.
[[nodiscard]] std::size_t utf8_unfinished(std::string_view text) noexcept;

} // namespace ipcbox
