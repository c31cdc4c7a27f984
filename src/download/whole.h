// The one place that decides whether a document is whole, whatever way it ended: a body of 200 or
// 206, a 416 because all of it is here already, a 304 or a date because it has not changed.
#pragma once

#include "http/digest.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

struct Evidence {
    std::uint64_t here = 0;             // bytes of the document that are here
    std::optional<std::uint64_t> total; // that it has, where anybody said so
    // The document's digest, where a checksum is known for it.
    const std::optional<http::Checksum>* wanted = nullptr;
    std::string digest;
};

enum class Wholeness {
    whole,
    rest_missing, // the server ended before the end, and may give the rest when asked
    too_long      // it is not the document whose size we know
};
// Throws TransferError with status bad_checksum for another document than the right one.
[[nodiscard]] Wholeness judge(const Evidence& evidence);

} // namespace ipcbox::download
