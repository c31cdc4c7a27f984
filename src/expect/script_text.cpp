#include "expect/script_text.h"

#include "core/ascii.h"
#include "core/number.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::expect {

namespace {

class TextReader {
  public:
    explicit TextReader(std::string_view text) : text_(text) {}

    Text read() {
        while (next_ < text_.size()) {
            if (text_[next_] == '\\')
                escape();
            else if (text_.substr(next_).starts_with("${"))
                variable();
            else
                literal_ += text_[next_++];
        }
        end_literal();
        return std::move(result_);
    }

  private:
    void end_literal() {
        if (!literal_.empty()) result_.pieces.push_back({Text::Kind::literal, literal_});
        literal_.clear();
    }
    void escape() {
        const auto begin = next_++;
        if (next_ == text_.size()) throw BadText("a backslash stands at the end", begin);
        const char byte = text_[next_++];
        constexpr std::string_view names = "rnteab\\\"$";
        constexpr std::string_view values = "\r\n\t\x1b\a\b\\\"$";
        if (const auto which = names.find(byte); which != std::string_view::npos) {
            literal_ += values[which];
        } else if (ascii::is_digit(byte)) {
            end_literal();
            result_.pieces.push_back({Text::Kind::group, {}, static_cast<std::size_t>(byte - '0')});
        } else if (const auto value = whole_number<unsigned char>(text_.substr(next_, 2), 16);
                   byte == 'x' && value && text_.size() - next_ >= 2) {
            literal_ += static_cast<char>(*value);
            next_ += 2;
        } else {
            throw BadText(fmt::format("unknown escape \\{}: expected \\r, \\n, \\t, \\e, \\a, \\b, "
                                      "\\\\, \\\", \\$, \\xHH or \\0 to \\9",
                                      byte),
                          begin);
        }
    }
    void variable() {
        const auto begin = next_;
        const auto end = text_.find('}', next_);
        if (end == std::string_view::npos) throw BadText("no } ends this ${", begin);
        const auto name = text_.substr(begin + 2, end - begin - 2);
        if (!is_script_name(name)) throw BadText("expected a variable, such as ${NAME}", begin);
        end_literal();
        result_.pieces.push_back({Text::Kind::variable, std::string{name}});
        next_ = end + 1;
    }

    std::string_view text_;
    std::size_t next_ = 0;
    std::string literal_;
    Text result_;
};

} // namespace

bool is_script_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char byte) {
        return ascii::is_letter(byte) || ascii::is_digit(byte) || byte == '_' || byte == '-';
    });
}

Text parse_text(std::string_view text) {
    return TextReader{text}.read();
}

} // namespace ipcbox::expect
