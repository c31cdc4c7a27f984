#include "front/client/line_editor.h"

#include "front/client/display_width.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

namespace {

constexpr char escape_key = '\x1b';
constexpr char delete_key = '\x7f';
// A key sends at most this many bytes.
constexpr std::size_t max_sequence = 8;

constexpr char control(char letter) {
    return static_cast<char>(letter & 0x1f);
}

bool is_control(char byte) {
    return static_cast<unsigned char>(byte) < ' ' || byte == delete_key;
}

// TEXT with a blank for each tab, and for each other byte that would move the cursor.
std::string printable(std::string_view text) {
    std::string shown{text};
    std::ranges::replace_if(shown, is_control, ' ');
    return shown;
}

} // namespace

std::size_t LineEditor::before(std::size_t at) const {
    if (at > 0) --at;
    while (at > 0 && continues_character(text_[at]))
        --at;
    return at;
}

std::size_t LineEditor::after(std::size_t at) const {
    return at +
           (at < text_.size() ? first_character(std::string_view{text_}.substr(at)).size() : 0);
}

std::size_t LineEditor::word_before() const {
    auto at = cursor_;
    while (at > 0 && text_[at - 1] == ' ')
        --at;
    while (at > 0 && text_[at - 1] != ' ')
        --at;
    return at;
}

std::size_t LineEditor::word_after() const {
    auto at = std::min(text_.find_first_not_of(' ', cursor_), text_.size());
    return std::min(text_.find(' ', at), text_.size());
}

void LineEditor::insert(char key) {
    if (text_.size() >= max_bytes) return;
    text_.insert(cursor_++, 1, key);
}

void LineEditor::erase_between(std::size_t from, std::size_t to) {
    text_.erase(from, to - from);
    cursor_ = from;
}

void LineEditor::recall(std::size_t at) {
    if (at > history_.size()) return; // there is no such line
    if (at_ == history_.size()) unsent_ = text_;
    at_ = at;
    text_ = at == history_.size() ? unsent_ : history_[at];
    cursor_ = text_.size();
}

void LineEditor::press_sequence() {
    const auto key = std::string_view{sequence_}.substr(1);
    if (key == "[A" || key == "OA") return recall(at_ - 1);
    if (key == "[B" || key == "OB") return recall(at_ + 1);
    if (key == "[C" || key == "OC") return void(cursor_ = after(cursor_));
    if (key == "[D" || key == "OD") return void(cursor_ = before(cursor_));
    if (key == "[H" || key == "OH" || key == "[1~" || key == "[7~") return void(cursor_ = 0);
    if (key == "[F" || key == "OF" || key == "[4~" || key == "[8~")
        return void(cursor_ = text_.size());
    if (key == "[3~") return erase_between(cursor_, after(cursor_));
    if (key == "b" || key == "[1;5D") return void(cursor_ = word_before());
    if (key == "f" || key == "[1;5C") return void(cursor_ = word_after());
    if (key == "d") return erase_between(cursor_, word_after());
}

void LineEditor::press(char key) {
    const auto cut = [this](std::size_t from, std::size_t to) {
        cut_ = text_.substr(from, to - from);
        erase_between(from, to);
    };
    switch (key) {
    case control('A'):
        cursor_ = 0;
        break;
    case control('E'):
        cursor_ = text_.size();
        break;
    case control('B'):
        cursor_ = before(cursor_);
        break;
    case control('F'):
        cursor_ = after(cursor_);
        break;
    case control('H'):
    case delete_key:
        erase_between(before(cursor_), cursor_);
        break;
    case control('D'):
        erase_between(cursor_, after(cursor_));
        break;
    case control('K'):
        cut(cursor_, text_.size());
        break;
    case control('U'):
        cut(0, cursor_);
        break;
    case control('W'):
        cut(word_before(), cursor_);
        break;
    case control('Y'):
        for (const char byte : cut_)
            insert(byte);
        break;
    case control('P'):
        recall(at_ - 1);
        break;
    case control('N'):
        recall(at_ + 1);
        break;
    default:
        if (!is_control(key) || key == '\t') insert(key);
    }
}

LineEditor::Event LineEditor::feed(std::string_view& keys) {
    while (!keys.empty()) {
        const char key = keys.front();
        keys.remove_prefix(1);
        if (!sequence_.empty()) {
            sequence_.push_back(key);
            // "ESC [ 1 ; 5 C": some parameters, and then one byte from '@' on (ECMA-48, 5.4).
            const bool has_parameters = sequence_[1] == '[' || sequence_[1] == 'O';
            const bool is_whole =
                !has_parameters || (sequence_.size() > 2 && key >= '@' && key <= '~');
            if (is_whole) press_sequence();
            if (is_whole || sequence_.size() > max_sequence) sequence_.clear();
        } else if (escape_ != 0 && key == escape_) {
            return Event::escape;
        } else if (key == escape_key) {
            sequence_ = key;
        } else if (key == '\n' || key == '\r') {
            return Event::line;
        } else if (key == control('D') && text_.empty()) {
            return Event::end;
        } else {
            press(key);
        }
    }
    return Event::none;
}

std::string LineEditor::take_line(Memory memory) {
    std::string line = std::move(text_);
    text_.clear();
    cursor_ = 0;
    const bool is_new = !line.empty() && (history_.empty() || history_.back() != line);
    if (memory == Memory::remember && is_new) history_.push_back(line);
    at_ = history_.size();
    return line;
}

std::string LineEditor::draw() const {
    // Leave the last column free. Some terminals go to the next row when it is filled.
    const auto columns = std::max<std::size_t>(columns_, 8) - 1;
    const auto prompt = end_that_fits(prompt_, columns / 2);
    const auto room = columns - display_width(prompt);
    const auto shown = printable(text_);
    const auto left = end_that_fits(std::string_view{shown}.substr(0, cursor_), room);
    const auto at = display_width(left);
    const auto right = begin_that_fits(std::string_view{shown}.substr(cursor_), room - at);
    auto row = fmt::format("\r{}{}{}\x1b[K\r", prompt, left, right);
    if (const auto column = display_width(prompt) + at; column > 0)
        row += fmt::format("\x1b[{}C", column);
    return row;
}

std::string LineEditor::draw_finished() const {
    return fmt::format("\r\x1b[K{}{}\n", prompt_, printable(text_));
}

} // namespace ipcbox::front
