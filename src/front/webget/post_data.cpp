#include "front/webget/post_data.h"

#include "core/fd.h"
#include "core/io.h"
#include "http/failure.h"
#include "http/url.h"

#include <fcntl.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_input = 64UL * 1024 * 1024;

std::string encoded(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto piece = text.substr(0, text.find(' '));
        result += http::percent_encoded(piece);
        text.remove_prefix(piece.size());
        if (text.empty()) break;
        result += '+';
        text.remove_prefix(1);
    }
    return result;
}

} // namespace

std::string input_text(const std::string& name) {
    try {
        if (name == "-") return read_to_end(STDIN_FILENO, max_input, "standard input");
        return read_to_end(open_file(name, O_RDONLY).get(), max_input, name);
    } catch (const Error& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

void PostData::add(std::string_view piece) {
    if (text_) text_->append("&");
    if (!text_) text_.emplace();
    text_->append(piece);
}

void PostData::add_raw(std::string_view text) {
    add(text);
}

void PostData::add_binary(std::string_view text) {
    add(text.starts_with('@') ? input_text(std::string{text.substr(1)}) : std::string{text});
}

void PostData::add_text(std::string_view text) {
    if (!text.starts_with('@')) return add(text);
    auto data = input_text(std::string{text.substr(1)});
    std::erase_if(data, [](char byte) { return byte == '\r' || byte == '\n' || byte == '\0'; });
    add(data);
}

void PostData::add_urlencoded(std::string_view text) {
    add(urlencoded_data(text));
}

void PostData::add_json(std::string_view text) {
    if (!text_) text_.emplace();
    text_->append(text.starts_with('@') ? input_text(std::string{text.substr(1)})
                                        : std::string{text});
    json_ = true;
}

std::string urlencoded_data(std::string_view text) {
    const auto mark = text.find_first_of("=@");
    if (mark == std::string_view::npos) return encoded(text);
    const auto name = text.substr(0, mark);
    const auto rest = text.substr(mark + 1);
    const auto content = text[mark] == '@' ? encoded(input_text(std::string{rest})) : encoded(rest);
    return name.empty() ? content : std::string{name} + '=' + content;
}

} // namespace ipcbox::front
