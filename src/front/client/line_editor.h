// A line that a person edits. The class needs no terminal: it gets keys, and returns the text to
// write to the terminal. The line always takes one row, in which a longer line scrolls sideways. So
// other text can be printed at any time: erase(), the text, draw().
//
// A library (libedit(3)) could do more, but would add a tenth to the size of the binary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

class LineEditor {
  public:
    // Up and Ctrl-P go back through HISTORY, which has the latest line last. ESCAPE is the byte
    // that opens the menu; 0 means none.
    LineEditor(std::vector<std::string> history, char escape)
        : history_(std::move(history)), at_(history_.size()), escape_(escape) {}

    enum class Event {
        none,  // all keys were used
        line,  // Enter
        end,   // Ctrl-D on an empty line
        escape // the escape byte
    };
    // Uses KEYS up to the first event, and removes the bytes that it used.
    [[nodiscard]] Event feed(std::string_view& keys);

    // After Event::line: returns the line and begins an empty one. REMEMBER puts the line into the
    // history.
    enum class Memory { remember, forget };
    [[nodiscard]] std::string take_line(Memory memory);

    // The text before the line, which is printable. If there is not enough room, only its end is
    // shown.
    void set_prompt(std::string_view prompt) { prompt_ = prompt; }
    void set_columns(std::size_t columns) { columns_ = columns; }

    // The text that erases the row; that draws it with the cursor in its place; and that draws the
    // whole line, over several rows if necessary, and goes to the next row.
    [[nodiscard]] static std::string_view erase() { return "\r\x1b[K"; }
    [[nodiscard]] std::string draw() const;
    [[nodiscard]] std::string draw_finished() const;

    [[nodiscard]] std::size_t cursor() const { return cursor_; }
    [[nodiscard]] const std::string& text() const { return text_; }

    // At this length, the line takes no more keys.
    static constexpr std::size_t max_bytes = 16UL * 1024;

  private:
    void press(char key);
    void press_sequence(); // ESC and what followed
    void insert(char key);
    void erase_between(std::size_t from, std::size_t to);
    void recall(std::size_t at);
    [[nodiscard]] std::size_t before(std::size_t at) const; // the character
    [[nodiscard]] std::size_t after(std::size_t at) const;
    [[nodiscard]] std::size_t word_before() const;
    [[nodiscard]] std::size_t word_after() const;

    std::vector<std::string> history_;
    std::size_t at_; // the line of the history that is shown; its size: a new one
    char escape_;
    std::string unsent_; // the new line, while the history is shown
    std::string text_;
    std::size_t cursor_ = 0; // in bytes
    std::string sequence_;   // the first bytes of a key that has several bytes
    std::string cut_;        // for Ctrl-Y
    std::string prompt_;
    std::size_t columns_ = 80;
};

} // namespace ipcbox::front
