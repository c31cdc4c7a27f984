// Printing. Data goes to stdout, through a buffer that the border flushes and checks: a lost write
// is a failure. Everything else goes to stderr as "applet: text", one write for each line, so that
// lines of several processes do not mix.
#pragma once

#include <fmt/core.h>
#include <string>
#include <string_view>

namespace ipcbox::cli {

// Appends to stdout's buffer. Throws SysError "cannot write standard output".
void print(std::string_view text);

template <class... Arguments>
void print_line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    print(fmt::format(format, std::forward<Arguments>(arguments)...).append(1, '\n'));
}

// Writes out the buffer of print(). Call it before a wait, an exec or a fork. Throws as print()
// does.
void flush();

// "NAME: TEXT" on stderr, as visible_line() shows it: TEXT often contains names that the user or a
// stranger chose. A line that cannot be written is lost, because there is nowhere to report that.
void diagnose(std::string_view text) noexcept;
// The same under another NAME, for a process that writes to the log of its server.
void diagnose_as(std::string_view name, std::string_view text) noexcept;

// The NAME of diagnose(), which the border sets to the name of the applet.
void set_program_name(std::string_view name) noexcept;
[[nodiscard]] std::string_view program_name() noexcept;

// Control characters and bytes that are not UTF-8, in a form that cannot control a terminal: ^[ for
// escape, \x9b for a lone byte. Line feeds and tabs stay, and CR LF becomes a line feed.
[[nodiscard]] std::string visible(std::string_view bytes);
// The same for a text that must stay on one line: a line feed becomes ^J.
[[nodiscard]] std::string visible_line(std::string_view bytes);

// The same for a text that comes in pieces, which can split a UTF-8 sequence.
class VisibleText {
  public:
    [[nodiscard]] std::string next(std::string_view piece);
    // The bytes held back because their sequence was not complete.
    [[nodiscard]] std::string finish();

  private:
    std::string begun_; // of a sequence
};

[[nodiscard]] bool is_terminal(int fd) noexcept;
// Whether we were started with it.
[[nodiscard]] bool is_open(int fd) noexcept;
// Whether it is /dev/null, by which users say "no file" where an option wants one.
[[nodiscard]] bool is_null_device(int fd) noexcept;

} // namespace ipcbox::cli
