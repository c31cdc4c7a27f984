// A text without the sequences that control a terminal: colours, cursor movements, window titles
// (ECMA-48).
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::expect {

class AnsiFilter {
  public:
    // Appends the rest of PIECE to INTO. PIECE can end within a sequence. Nothing is stored,
    // however long a sequence is.
    void strip(std::string_view piece, std::string& into);

  private:
    enum class State { text, escape, intermediate, control, string, string_escape };
    State state_ = State::text;
};

} // namespace ipcbox::expect
