// Prepares bytes to be typed on a terminal in canonical mode, so that the program on it reads
// exactly these bytes: n_tty, termios(3).
//
// A byte that the terminal would act on (the end of input, the quote itself) is quoted. The
// terminal's buffer holds 4 096 bytes of a line, and the kernel drops the rest of a longer one. So
// a long line is handed over in pieces: the end-of-input character after a part of a line does not
// end the input, but lets the program read that part.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <termios.h>

namespace ipcbox::dialog {

// How much of a line is typed before its part is handed over: less than the terminal's 4 096, and
// not a multiple of the sizes that programs read.
inline constexpr std::size_t max_typed_line = 4001;

// The settings for a terminal on which a program's input is typed: canonical, no echo, and no
// character with a special meaning except the two that TypedInput uses.
[[nodiscard]] termios settings_for_typed_input(termios settings);

class TypedInput {
  public:
    // For a terminal with those settings.
    explicit TypedInput(const termios& settings);

    // What to type for TEXT, the next piece of the input.
    [[nodiscard]] std::string next(std::string_view text);
    // What to type for its end.
    [[nodiscard]] std::string end();

  private:
    char end_;
    char quote_;
    std::size_t line_ = 0; // bytes of the open line that the terminal has not handed over
};

} // namespace ipcbox::dialog
