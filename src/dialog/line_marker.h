// Marks the lines of a text that comes in pieces: with a prefix, a number, or both before each. A
// line can be of any length; only the current piece is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipcbox::dialog {

class LineMarker {
  public:
    enum class Numbers { none, as_cat }; // cat -n: "     1", a tab

    explicit LineMarker(Numbers numbers) : numbers_(numbers) {}

    // The prefix of the lines that begin from now on.
    void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
    // The end of the line that was begun and not ended: a line feed, or nothing when there is none.
    [[nodiscard]] std::string_view finish_line();
    // PIECE with its marks. The view is valid until the next call.
    [[nodiscard]] std::string_view mark(std::string_view piece);

  private:
    Numbers numbers_;
    std::string prefix_;
    std::string marked_;
    std::uint64_t count_ = 0;
    bool is_in_line_ = false;
};

} // namespace ipcbox::dialog
