// Versions and ranges in responses, with which a transfer that broke off can be resumed (RFC 9110,
// sections 8.8, 13.1.5 and 14.4).
#pragma once

#include "http/response_parser.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

// The known facts about one version of a document.
struct DocumentVersion {
    std::string tag;                   // ETag, also a weak one; empty: unknown
    std::string date;                  // Last-Modified; empty: unknown
    std::optional<std::uint64_t> size; // of the whole

    // The value for If-Range: the tag if it is a strong one, else the date. Empty when there is
    // neither; then the transfer cannot be resumed.
    [[nodiscard]] std::string validator() const;
    // False when a fact that is known of both differs, which proves that they are two versions.
    [[nodiscard]] bool may_be(const DocumentVersion& other) const;

    friend bool operator==(const DocumentVersion&, const DocumentVersion&) = default;
};
// The version in HEAD. Its size is from Content-Range, or for a 200 from Content-Length.
[[nodiscard]] DocumentVersion version_of(const http::ResponseHead& head);

// Content-Range: "bytes 100-199/200" has all three, "bytes 100-199/*" no size, "bytes */200" the
// size only.
struct ContentRange {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
    std::optional<std::uint64_t> size;
};
[[nodiscard]] ContentRange content_range(const http::ResponseHead& head);

// Whether FOUND has the bytes that the user's RANGE ("0-99", "100-", "-100") asks for, as far as
// the document has them. True when RANGE is several ranges, because their answer has a different
// form.
[[nodiscard]] bool answers_range(const std::string& range, const ContentRange& found);

} // namespace ipcbox::download
