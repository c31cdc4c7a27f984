// The part of a document that is here already: in a part file, in a file that another tool left
// unfinished, or on standard output. It decides which bytes to ask for next.
#pragma once

#include "download/part_file.h"
#include "download/place.h"
#include "download/resumption.h"
#include "download/target.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

// How to continue after the bytes that are here.
struct Continuation {
    std::uint64_t at = 0;    // bytes that are here; 0: from the beginning
    DocumentVersion version; // of these bytes
    // Set when another tool left these bytes, so that their version is unknown: the document must
    // not have changed since that time.
    std::optional<std::int64_t> unmodified_since;
};

class Leftover {
  public:
    Leftover(const Target& target, const DownloadOptions& options)
        : target_(target), options_(options) {}

    // Looks at the target's file and opens its part, unless that has happened already. Throws as
    // PartFile does.
    void open();
    // The bytes to ask for next.
    [[nodiscard]] Continuation continuation() const;
    // The bytes that are here are useless: the next request asks for all of the document.
    void start_over() { must_start_over_ = true; }
    // Whether the document can still come from its beginning. False once standard output has got a
    // byte of it.
    [[nodiscard]] bool may_begin_again() const { return written == 0; }

    [[nodiscard]] bool goes_to_output() const { return target_.file.empty(); }
    [[nodiscard]] const ExistingFile& existing() const { return existing_; }

    // None for standard output, and for a device or a FIFO.
    std::optional<PartFile> part;
    // The bytes that standard output has got, and their version.
    std::uint64_t written = 0;
    DocumentVersion written_version;

  private:
    const Target& target_;
    const DownloadOptions& options_;
    ExistingFile existing_;
    bool must_start_over_ = false;
};

} // namespace ipcbox::download
