// What is here of a document already: a part file, a file that another tool left unfinished, or
// what standard output has got. It decides what may be asked for to go on.
#pragma once

#include "download/part_file.h"
#include "download/place.h"
#include "download/resumption.h"
#include "download/target.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

// How to go on behind what is here.
struct Continuation {
    std::uint64_t at = 0;    // bytes that are here; 0: from the beginning
    DocumentVersion version; // of these bytes
    // Another tool left these bytes, and nobody knows their version: the document must not have
    // changed since that time.
    std::optional<std::int64_t> unmodified_since;
};

class Leftover {
  public:
    Leftover(const Target& target, const DownloadOptions& options)
        : target_(target), options_(options) {}

    // Looks at the target's file and opens its part, unless that has happened already. Throws as
    // PartFile does.
    void open();
    // What to ask for next.
    [[nodiscard]] Continuation continuation() const;
    // What is here is of no use.
    void start_over() { must_start_over_ = true; }
    // Whether the document can still come from its beginning: not when standard output has got
    // something already.
    [[nodiscard]] bool may_begin_again() const { return written == 0; }

    [[nodiscard]] bool goes_to_output() const { return target_.file.empty(); }
    [[nodiscard]] bool resumes_existing() const;
    [[nodiscard]] const ExistingFile& existing() const { return existing_; }

    // None for standard output, and for a device or a FIFO.
    std::optional<PartFile> part;
    // Of standard output: the bytes that it has got, and their version.
    std::uint64_t written = 0;
    DocumentVersion written_version;

  private:
    const Target& target_;
    const DownloadOptions& options_;
    ExistingFile existing_;
    bool must_start_over_ = false;
};

} // namespace ipcbox::download
