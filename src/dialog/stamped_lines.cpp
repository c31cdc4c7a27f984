#include "dialog/stamped_lines.h"

#include "core/utf8.h"

#include <algorithm>
#include <cstring>

namespace ipcbox::dialog {

LineSplitter::LineSplitter() : buffer_(capacity) {}

std::span<std::byte> LineSplitter::space() {
    // At most one piece is left, because next() has returned nothing.
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
    return std::span{buffer_}.subspan(end_);
}

void LineSplitter::add(std::size_t count, Moment now) {
    if (begin_ == end_ || since_ == Moment::max()) since_ = now;
    end_ += count;
    last_ = now;
}

std::optional<Piece> LineSplitter::next() {
    // One byte more than a piece: if that is the line feed, the line is whole.
    const std::size_t limit = std::min(end_, begin_ + max_piece + 1);
    const std::byte* const bytes = buffer_.data();
    if (scanned_ < limit) {
        const void* const feed = std::memchr(bytes + scanned_, '\n', limit - scanned_);
        if (feed != nullptr) {
            const auto at = static_cast<std::size_t>(static_cast<const std::byte*>(feed) - bytes);
            const auto piece = take(at - begin_, Piece::Kind::whole);
            scanned_ = ++begin_;
            return piece;
        }
        scanned_ = limit;
    }
    if (end_ - begin_ <= max_piece) return std::nullopt;
    return take(max_piece - utf8_unfinished(left().substr(0, max_piece)), Piece::Kind::partial);
}

std::optional<Piece> LineSplitter::rest(Rest rest) {
    const auto kept = rest == Rest::so_far ? utf8_unfinished(left()) : 0;
    if (kept < left().size()) return take(left().size() - kept, Piece::Kind::partial);
    since_ = Moment::max();
    return std::nullopt;
}

std::optional<Moment> LineSplitter::due() const {
    if (begin_ == end_ || since_ == Moment::max()) return std::nullopt;
    return since_ + patience;
}

std::string_view LineSplitter::left() const {
    return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_};
}

Piece LineSplitter::take(std::size_t length, Piece::Kind kind) {
    const auto text = left().substr(0, length);
    begin_ += length;
    // All bytes that are left came with the last read.
    since_ = last_;
    return {text, kind};
}

void LineText::begin(Stream stream, std::string_view stamp) {
    constexpr std::array<std::string_view, 3> names{"stdout", "stderr", "info"};
    constexpr std::array<std::string_view, 3> letters{"O", "E", "I"};
    constexpr std::array<std::string_view, 3> colours{"", "\x1b[31m", "\x1b[2m"};
    const auto number = static_cast<std::size_t>(stream);
    for (const auto kind : {Piece::Kind::whole, Piece::Kind::partial}) {
        const bool is_partial = kind == Piece::Kind::partial;
        auto& before = before_[static_cast<std::size_t>(kind)];
        auto& after = after_[static_cast<std::size_t>(kind)];
        before.clear();
        after.clear();
        if (form_ == Form::json) {
            before += R"({"v":1,"time":")";
            append_json(before, stamp);
            before.append(R"(","stream":")").append(names[number]).append(R"(","text":")");
            after.append(R"(","partial":)").append(is_partial ? "true" : "false").append("}\n");
            continue;
        }
        const auto colour = colours_ == Colours::some ? colours[number] : "";
        before.append(colour).append(stamp).append(1, ' ').append(letters[number]);
        before.append(is_partial ? "+ " : ": ");
        if (!colour.empty()) after += "\x1b[m";
        after += '\n';
    }
}

void LineText::append(std::string& into, const Piece& piece) const {
    const auto kind = static_cast<std::size_t>(piece.kind);
    into += before_[kind];
    if (form_ == Form::json)
        append_json(into, piece.text);
    else
        into += piece.text;
    into += after_[kind];
}

void append_json(std::string& into, std::string_view text) {
    const auto is_plain = [](char character) {
        return character >= 0x20 && character < 0x7f && character != '"' && character != '\\';
    };
    while (!text.empty()) {
        const auto plain = static_cast<std::size_t>(
            std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
        into += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        const auto length = utf8_length(text);
        const char first = text.front();
        if (length == 0) {
            into += "\xef\xbf\xbd";
        } else if (length > 1 || first == '\x7f') {
            into += text.substr(0, length);
        } else if (first == '"' || first == '\\') {
            into.append(1, '\\').append(1, first);
        } else if (first == '\t') {
            into += "\\t";
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            const auto value = static_cast<unsigned char>(first);
            into.append("\\u00").append(1, digits[value >> 4U]).append(1, digits[value & 15U]);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

} // namespace ipcbox::dialog
