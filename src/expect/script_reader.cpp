#include "expect/script_reader.h"

#include "core/text_lines.h"

#include <fmt/core.h>

namespace ipcbox::expect {

ScriptError::ScriptError(std::string_view name, Position at, std::string_view reason)
    : Error(fmt::format("{}:{}:{}: {}", name, at.line, at.column, reason), exit_status::usage),
      at_(at) {}

ScriptReader::ScriptReader(std::string_view source, std::string_view name)
    : source_(without_byte_order_mark(source)), name_(name) {}

char ScriptReader::take() {
    const char byte = source_[next_++];
    if (byte == '\n') {
        ++line_;
        line_begin_ = next_;
    }
    return byte;
}

bool ScriptReader::take_if(char byte) {
    skip_blanks();
    if (at_end() || peek() != byte) return false;
    take();
    return true;
}

void ScriptReader::skip_blanks() {
    if (next_ != skipped_to_) text_end_ = next_;
    while (peek() == ' ' || peek() == '\t' || peek() == '\r')
        take();
    if (peek() == '#')
        while (!at_line_end())
            take();
    skipped_to_ = next_;
}

void ScriptReader::skip_lines(std::string_view others) {
    for (;;) {
        skip_blanks();
        if (at_end() || (peek() != '\n' && others.find(peek()) == std::string_view::npos)) return;
        take();
    }
}

std::string_view ScriptReader::word(std::string_view stops) {
    skip_blanks();
    const auto begin = next_;
    while (!at_end() && stops.find(peek()) == std::string_view::npos)
        take();
    return since(begin);
}

std::string_view ScriptReader::delimited(char delimiter, std::string_view what) {
    skip_blanks();
    const auto at = position();
    if (at_end() || peek() != delimiter) fail(at, fmt::format("expected {} here", what));
    take();
    const auto begin = next_;
    while (at_line_end() || peek() != delimiter) {
        if (at_line_end()) fail(at, fmt::format("no {} ends what begins here", delimiter));
        if (take() == '\\' && !at_line_end()) take();
    }
    const auto inside = since(begin);
    take();
    return inside;
}

void ScriptReader::expect_line_end() {
    skip_blanks();
    if (!at_line_end()) fail(position(), "expected the end of the line here");
}

void ScriptReader::fail(Position at, std::string_view reason) const {
    throw ScriptError(name_, at, reason);
}

} // namespace ipcbox::expect
