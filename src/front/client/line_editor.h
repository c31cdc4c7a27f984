// A line that a person edits, without a terminal: keys go in, and what is to be written to the
// terminal comes out. It takes one row at all times; a longer line scrolls sideways in it. So text
// of somebody else can be printed at any time: erase(), the text, draw().
//
// A library would do more (libedit(3)), at the price of a tenth of the whole binary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

class LineEditor {
  public:
    // HISTORY is what Up and Ctrl-P go back to, the latest line last. ESCAPE is the byte that
    // calls the menu; 0: none does.
    LineEditor(std::vector<std::string> history, char escape)
        : history_(std::move(history)), at_(history_.size()), escape_(escape) {}

    enum class Event {
        none,  // all keys were used
        line,  // Enter
        end,   // Ctrl-D on an empty line
        escape // the escape byte
    };
    // Uses KEYS up to the first event, and takes what it used away from them.
    [[nodiscard]] Event feed(std::string_view& keys);

    // After Event::line: the line, and an empty one is begun. REMEMBER puts it into the history.
    enum class Memory { remember, forget };
    [[nodiscard]] std::string take_line(Memory memory);

    // What stands before the line: printable text, of which the end is shown when there is no room.
    void set_prompt(std::string_view prompt) { prompt_ = prompt; }
    void set_columns(std::size_t columns) { columns_ = columns; }

    // Takes the row away from the screen; draws it, with the cursor in its place; draws all of it,
    // over several rows if need be, and goes to the next row.
    [[nodiscard]] static std::string_view erase() { return "\r\x1b[K"; }
    [[nodiscard]] std::string draw() const;
    [[nodiscard]] std::string draw_finished() const;

    [[nodiscard]] std::size_t cursor() const { return cursor_; }
    [[nodiscard]] const std::string& text() const { return text_; }

    // A longer line takes no more keys.
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
    std::string sequence_;   // a key that is more than one byte, and not all there yet
    std::string cut_;        // for Ctrl-Y
    std::string prompt_;
    std::size_t columns_ = 80;
};

// How many columns a terminal gives to TEXT, which is UTF-8. Control characters count one.
[[nodiscard]] std::size_t display_width(std::string_view text);

} // namespace ipcbox::front
