#include "core/shell_words.h"

#include "core/ascii.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox {

namespace {

bool is_in(char byte, std::string_view set) {
    return set.find(byte) != std::string_view::npos;
}

class Splitter {
  public:
    explicit Splitter(std::string_view text) : text_(text) {}

    std::vector<std::string> words() {
        while (at_ < text_.size()) {
            const char byte = text_[at_];
            if (is_in(byte, " \t\n"))
                end_word();
            else if (byte == '\'')
                take_single_quoted();
            else if (byte == '"')
                take_double_quoted();
            else if (byte == '\\')
                take_escaped();
            else
                take_plain();
            ++at_;
        }
        end_word();
        return std::move(words_);
    }

  private:
    void end_word() {
        if (has_word_) words_.push_back(std::move(word_));
        word_.clear();
        has_word_ = false;
    }
    void add(char byte) {
        word_ += byte;
        has_word_ = true;
    }

    // Each of these starts with AT_ at its first byte, or at the opening quote, and leaves it at
    // its last byte, or at the closing quote.
    void take_single_quoted() {
        const auto end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) fail(at_, "this ' is not closed");
        word_ += text_.substr(at_ + 1, end - at_ - 1);
        has_word_ = true;
        at_ = end;
    }
    void take_double_quoted() {
        const auto start = at_;
        has_word_ = true;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            const char byte = text_[at_];
            if (byte == '$' || byte == '`') refuse();
            const bool escapes =
                byte == '\\' && at_ + 1 < text_.size() && is_in(text_[at_ + 1], "$`\"\\\n");
            if (!escapes)
                add(byte);
            else if (text_[++at_] != '\n') // an escaped line feed only continues the line
                add(text_[at_]);
        }
        if (at_ >= text_.size()) fail(start, "this \" is not closed");
    }
    void take_escaped() {
        if (at_ + 1 >= text_.size()) fail(at_, "nothing follows this \\");
        if (text_[++at_] != '\n') add(text_[at_]);
    }
    void take_plain() {
        const char byte = text_[at_];
        if (is_in(byte, "|&;<>()$`*?") || (!has_word_ && is_in(byte, "~#"))) refuse();
        add(byte);
    }

    [[noreturn]] void refuse() const {
        fail(at_, fmt::format("only a shell can act on this {}; quote it", text_[at_]));
    }
    [[noreturn]] static void fail(std::size_t position, std::string_view reason) {
        throw ShellWordsError(position + 1, reason);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string word_;
    bool has_word_ = false; // true for '', which is an empty word
    std::vector<std::string> words_;
};

} // namespace

ShellWordsError::ShellWordsError(std::size_t column, std::string_view reason)
    : Error(fmt::format("column {}: {}", column, reason)), column_(column), reason_(reason) {}

std::vector<std::string> shell_words(std::string_view text) {
    return Splitter{text}.words();
}

std::string shell_quoted(std::string_view word) {
    const auto is_plain = [](char byte) {
        return ascii::is_letter(byte) || ascii::is_digit(byte) || is_in(byte, "%+,-./:=@_");
    };
    if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string{word};
    std::string quoted = "'";
    for (const char byte : word)
        if (byte == '\'')
            quoted += "'\\''";
        else
            quoted += byte;
    return quoted + "'";
}

} // namespace ipcbox
