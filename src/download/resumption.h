// What responses say of versions and ranges: what it takes to go on with a document where it broke
// off (RFC 9110, sections 8.8, 13.1.5 and 14.4).
#pragma once

#include "http/response_parser.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

// What identifies this version of the document, byte by byte: its ETag if it is a strong one, else
// its date; empty when it has neither.
[[nodiscard]] std::string version_of(const http::ResponseHead& head);

// Content-Range: "bytes 100-199/200" has where it begins and the size of the whole, "bytes */200"
// the size only.
struct ContentRange {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> size;
};
[[nodiscard]] ContentRange content_range(const http::ResponseHead& head);

} // namespace ipcbox::download
