// Decides whether a document is whole. This is the only place that does, however the document
// ended: with the body of a 200 or 206, with a 416 because all of it is here already, or with a 304
// or a date because it has not changed.
#pragma once

#include "http/digest.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

struct Evidence {
    std::uint64_t here = 0;             // bytes of the document that are here
    std::optional<std::uint64_t> total; // bytes that it has, where that is known
    // The expected checksum, and the document's digest where there is one.
    const std::optional<http::Checksum>* wanted = nullptr;
    std::string digest;
};

enum class Wholeness {
    whole,
    rest_missing, // the server ended before the end, and may give the rest when asked
    too_long      // longer than the document that we asked for
};
// Throws TransferError with status bad_checksum when the digest is wrong.
[[nodiscard]] Wholeness judge(const Evidence& evidence);

} // namespace ipcbox::download
