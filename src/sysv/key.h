// The names by which unrelated processes find one System V object (svipc(7)).
//
//     1234, 0x4d2    the key itself
//     ./path         ftok(3) of an existing file, with Perl's default project number 1
//     @name          a hash of the name
//
// Two names can have the same hash, and another program can use any key. So an object that is
// created under @name gets a label, 45 more bits of the hash, and is used only if the label is
// right. A path has no such label, and its key changes when the file is replaced.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::sysv {

class Key {
  public:
    // Throws std::invalid_argument, which says what was expected, or Error for a path that does not
    // exist. It refuses 0 (IPC_PRIVATE), which nobody could find again, and 010, which ipcrm(1)
    // reads as 8.
    [[nodiscard]] static Key parse(std::string_view text);

    [[nodiscard]] key_t value() const { return value_; }
    // As the user wrote it.
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool is_name() const { return text_.starts_with('@'); }

    // The label in words of 15 bits, because a semaphore holds 15 bits. It is never all zero. A key
    // without a name has the label of an empty name.
    using Label = std::array<std::uint16_t, 3>;
    [[nodiscard]] const Label& label() const { return label_; }

  private:
    Key(key_t value, std::string text, const Label& label)
        : value_(value), text_(std::move(text)), label_(label) {}

    key_t value_;
    std::string text_;
    Label label_;
};

// How to write a KEY, for the help of an operand.
inline constexpr std::string_view key_help = "1234, 0x4d2, ./path or @name (default 1234)";

} // namespace ipcbox::sysv
