#include "front/client/line_editor.h"

#include <algorithm>
#include <array>
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

bool continues(char byte) { // inside a UTF-8 sequence
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

bool is_control(char byte) {
    return static_cast<unsigned char>(byte) < ' ' || byte == delete_key;
}

char32_t decode(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character.front());
    if (character.size() == 1) return lead;
    char32_t value = lead & (0x7fU >> character.size());
    for (const char byte : character.substr(1))
        value = value << 6 | (static_cast<unsigned char>(byte) & 0x3fU);
    return value;
}

struct Range {
    char32_t first;
    char32_t last;
};

// Characters two columns wide (Unicode's East Asian Width W and F, in blocks), and the combining
// marks, which have no column of their own.
constexpr std::array wide{
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},
    Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},
    Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},   Range{0x1f300, 0x1f64f},
    Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd}};
constexpr std::array combining{Range{0x300, 0x36f}, Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff},
                               Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}};

template <class Ranges> bool is_among(char32_t value, const Ranges& ranges) {
    return std::ranges::any_of(
        ranges, [=](const Range& range) { return value >= range.first && value <= range.last; });
}

std::string_view first_character(std::string_view text) {
    constexpr std::size_t max_size = 4; // in UTF-8
    std::size_t end = 1;
    while (end < std::min(text.size(), max_size) && continues(text[end]))
        ++end;
    return text.substr(0, end);
}

std::size_t width_of(std::string_view character) {
    const auto value = decode(character);
    if (is_among(value, combining)) return 0;
    return is_among(value, wide) ? 2 : 1;
}

// The longest end of TEXT that fits into COLUMNS.
std::string_view end_that_fits(std::string_view text, std::size_t columns) {
    for (auto width = display_width(text); width > columns;) {
        const auto character = first_character(text);
        width -= width_of(character);
        text.remove_prefix(character.size());
    }
    return text;
}

std::string_view begin_that_fits(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    for (std::size_t width = 0; end < text.size();) {
        const auto character = first_character(text.substr(end));
        width += width_of(character);
        if (width > columns) break;
        end += character.size();
    }
    return text.substr(0, end);
}

// TEXT with a blank for each tab, and for each other byte that would move the cursor.
std::string printable(std::string_view text) {
    std::string shown{text};
    std::ranges::replace_if(shown, is_control, ' ');
    return shown;
}

} // namespace

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const auto character = first_character(text);
        width += width_of(character);
        text.remove_prefix(character.size());
    }
    return width;
}

std::size_t LineEditor::before(std::size_t at) const {
    if (at > 0) --at;
    while (at > 0 && continues(text_[at]))
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
