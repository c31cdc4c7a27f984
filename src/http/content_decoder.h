// What a server compressed for the way, as it was (RFC 9110, section 8.4), piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace ipcbox::http {

enum class Coding { identity, gzip, deflate };

// "gzip", "x-gzip", "deflate" or "identity", in whatever case; nothing for a coding that we do not
// know.
[[nodiscard]] std::optional<Coding> coding_named(std::string_view name);

class ContentDecoder {
  public:
    using Output = std::function<void(std::string_view)>;

    explicit ContentDecoder(Coding coding);
    ~ContentDecoder();
    ContentDecoder(const ContentDecoder&) = delete;
    ContentDecoder& operator=(const ContentDecoder&) = delete;

    // A gzip bomb: more than RATIO bytes made of one, once there are more than FREE_BYTES.
    // (Deflate's own limit is 1032; text comes to 10, a log that repeats itself to 200.)
    static constexpr std::uint64_t most_ratio = 500;
    static constexpr std::uint64_t free_bytes = 16UL * 1024 * 1024;

    // Gives what IN comes to to OUT, in pieces of at most 64 KiB (those of identity are as they
    // came). Several gzip members in a row are one text (RFC 1952, section 2.2); what else stands
    // behind the end is ignored, as gzip(1) and browsers do. "deflate" is zlib's format (RFC 1950)
    // or, as many servers have it, the bare one (RFC 1951). Throws Error, with curl's status 61,
    // for what is no such format, fails its checksum, or is a bomb; and passes on what OUT throws,
    // after which the decoder is of no use.
    void decode(std::string_view in, const Output& out);

    // The body has ended. Throws the same when there should have been more. Nothing at all is
    // whole: the body of a HEAD or of an empty file.
    void finish() const;

  private:
    class Stream;

    std::unique_ptr<Stream> stream_; // none for identity
};

} // namespace ipcbox::http
