// Digests of documents, and the expected digests in lists that sha256sum(1) writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct nettle_hash; // <nettle/nettle-meta.h>

namespace ipcbox::http {

class Digest {
  public:
    // "md5", "sha1", "sha256", "sha384" or "sha512", in any case. Throws std::invalid_argument
    // for another name.
    explicit Digest(std::string_view algorithm);

    void update(std::string_view bytes);
    // The digest of all bytes so far, in lower case. After that a new digest begins.
    [[nodiscard]] std::string hex();

  private:
    const nettle_hash* hash_;
    std::vector<std::uint64_t> state_; // for its alignment
};

struct Checksum {
    std::string algorithm; // as Digest has it, in lower case
    std::string hex;       // in lower case

    // "sha256:HEX". Throws std::invalid_argument for an algorithm that Digest does not know, and
    // for a wrong number of digits.
    [[nodiscard]] static Checksum parse(std::string_view text);

    friend bool operator==(const Checksum&, const Checksum&) = default;
};

// The checksum of FILE_NAME in LIST, where a "./" can precede the name. Lines are as sha256sum(1)
// and its siblings write them, with --tag or without:
//     e3b0c442…  name
//     e3b0c442… *name
//     SHA256 (name) = e3b0c442…
// A '\' at the start means that the name is escaped. The algorithm follows from the length of the
// digest. If there are several digests, the longest counts, and of two equally long ones the first.
// All other lines (signatures, comments) are skipped. Nothing when the list does not have the name.
[[nodiscard]] std::optional<Checksum> checksum_in_list(std::string_view list,
                                                       std::string_view file_name);

// RFC 4648, section 4, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

} // namespace ipcbox::http
