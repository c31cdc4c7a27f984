#include "http/lenient_head.h"

#include "core/ascii.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "http/tokens.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace ipcbox::http {

namespace {

constexpr std::size_t status_line_without_reason = sizeof "HTTP/1.1 200" - 1;

// TEXT with a space for each control character. NUL stays, because no server sends it by mistake.
std::string printable(std::string_view text) {
    std::string result{text};
    std::ranges::replace_if(
        result, [](char byte) { return ascii::is_control(byte) && byte != '\t' && byte != '\0'; },
        ' ');
    return result;
}

// A line of the head. Only one with a colon has a name.
struct Line {
    std::string name;
    std::string value; // without a name, the whole line
    bool has_name = false;

    [[nodiscard]] bool is(std::string_view other) const {
        return has_name && ascii::same_but_for_case(name, other);
    }
};

// The lines of HEAD, without the fields whose name is not a token. A line that begins with a blank
// belongs to the field before it.
std::vector<Line> lines_of(std::string_view head) {
    std::vector<Line> lines;
    bool has_field = false; // a line before this one was a field
    bool is_left_out = false;
    while (!head.empty()) {
        auto text = take_until(head, '\n');
        while (text.ends_with('\r'))
            text.remove_suffix(1);
        const bool goes_on = text.starts_with(' ') || text.starts_with('\t');
        if (goes_on && has_field) {
            if (!is_left_out) lines.back().value += "\r\n" + printable(text);
            continue;
        }
        const auto colon = lines.empty() ? std::string_view::npos : text.find(':');
        if (colon == std::string_view::npos) {
            lines.push_back({"", printable(text), false});
            is_left_out = false;
            continue;
        }
        const auto name = trimmed(text.substr(0, colon));
        has_field = true;
        is_left_out = !is_token(name);
        if (!is_left_out)
            lines.push_back({std::string{name}, printable(text.substr(colon + 1)), true});
    }
    return lines;
}

// The elements of the list that all fields with that NAME form together, in lower case.
std::vector<std::string> list_in(const std::vector<Line>& lines, std::string_view name) {
    std::vector<std::string> elements;
    for (const auto& line : lines) {
        if (!line.is(name)) continue;
        for (const auto element : list_elements(line.value))
            elements.push_back(ascii::lower(element));
    }
    return elements;
}

// Gives the first field with that NAME the VALUE and removes the others. With an empty VALUE,
// removes all of them.
void replace(std::vector<Line>& lines, std::string_view name, std::string_view value) {
    const auto first =
        std::ranges::find_if(lines, [name](const Line& line) { return line.is(name); });
    if (first == lines.end()) return;
    const auto rest = value.empty() ? first : std::next(first);
    if (!value.empty()) first->value = ' ' + std::string{value};
    lines.erase(
        std::remove_if(rest, lines.end(), [name](const Line& line) { return line.is(name); }),
        lines.end());
}

void mend_framing(std::vector<Line>& lines) {
    constexpr std::string_view coding = "Transfer-Encoding";
    constexpr std::string_view length = "Content-Length";
    const auto is = [](std::string_view text) {
        return [text](const std::string& other) { return other == text; };
    };
    auto codings = list_in(lines, coding);
    std::erase_if(codings, [](const auto& one) { return one.empty() || one == "identity"; });
    if (codings.empty()) {
        replace(lines, coding, "");
    } else if (std::ranges::all_of(codings, is("chunked"))) {
        replace(lines, coding, "chunked");
        replace(lines, length, "");
    }
    const auto lengths = list_in(lines, length);
    if (lengths.size() > 1 && std::ranges::all_of(lengths, is(lengths.front())))
        replace(lines, length, lengths.front());
}

} // namespace

std::string mended_head(std::string_view head) {
    auto lines = lines_of(head);
    if (!lines.empty() && lines.front().value.size() == status_line_without_reason)
        lines.front().value += ' ';
    mend_framing(lines);
    std::string text;
    for (const auto& line : lines) {
        if (line.has_name) text.append(line.name).append(":");
        text.append(line.value).append("\r\n");
    }
    return text;
}

} // namespace ipcbox::http
