// The arguments that a command accepts from a client: `int 1-9`, `word` or `/REGEX/`.
#pragma once

#include <cstdint>
#include <memory>
#include <regex.h>
#include <string>
#include <string_view>

namespace ipcbox::commands {

class ArgumentType {
  public:
    // "int": a whole number of 64 bits; "int MIN-MAX": one between the two; "word": letters, digits
    // and _ . , : @ % + = -, not "-" in front; "/REGEX/": what an extended regular expression
    // (regex(7)) matches as a whole, where \/ stands for a slash. Back-references are refused,
    // because a match could take forever. Throws std::invalid_argument.
    [[nodiscard]] static ArgumentType parse(std::string_view text);

    // Whether TEXT is such an argument. A text with a NUL, or of more than max_bytes, is not.
    [[nodiscard]] bool takes(std::string_view text) const;
    // For the help and for messages: "1-9", "WORD", "/REGEX/".
    [[nodiscard]] const std::string& text() const { return text_; }

    static constexpr std::size_t max_bytes = 1024;

  private:
    enum class Kind { integer, word, pattern };

    void parse_range(std::string_view text);
    void compile(std::string_view text);

    Kind kind_ = Kind::word;
    std::int64_t min_ = INT64_MIN;
    std::int64_t max_ = INT64_MAX;
    std::shared_ptr<regex_t> pattern_;
    std::string text_;
};

} // namespace ipcbox::commands
