// Where the tokens of one name stand in etcd:
//
//     ipcbox/sem/NAME/slots                the number of tokens, "4"; without a lease
//     ipcbox/sem/NAME/queue/16 HEX DIGITS  who has one, or waits; the digits are the lease
//
// A NAME is percent-encoded, so that it has no "/". A key that is a number, 1234 or 0x4d2, stands
// under "key:1234", which cannot be an @name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::cluster {

inline constexpr std::string_view default_prefix = "ipcbox/sem/";

class TokenKeys {
  public:
    // TEXT is "@name", "1234" or "0x4d2". Throws std::invalid_argument, saying what was expected: a
    // path names a file of one host.
    [[nodiscard]] static TokenKeys parse(std::string_view text,
                                         std::string_view prefix = default_prefix);

    // The set that a key found below PREFIX belongs to; nothing when it is no key of ours.
    [[nodiscard]] static std::optional<TokenKeys> of_key(std::string_view key,
                                                         std::string_view prefix = default_prefix);

    // As the user wrote it, or could write it.
    [[nodiscard]] const std::string& text() const { return text_; }

    // Of the set: "ipcbox/sem/build".
    [[nodiscard]] const std::string& place() const { return place_; }
    [[nodiscard]] std::string slots() const { return place_ + "/slots"; }
    // All entries of the queue are from here to before queue_end().
    [[nodiscard]] std::string queue() const { return place_ + "/queue/"; }
    [[nodiscard]] std::string queue_end() const { return place_ + "/queue0"; }
    [[nodiscard]] std::string entry(std::int64_t lease) const;

  private:
    TokenKeys(std::string text, std::string place)
        : text_(std::move(text)), place_(std::move(place)) {}

    std::string text_;
    std::string place_;
};

} // namespace ipcbox::cluster
