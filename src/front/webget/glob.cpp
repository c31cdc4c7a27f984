#include "front/webget/glob.h"

#include "core/ascii.h"
#include "core/number.h"
#include "net/address.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <optional>
#include <stdexcept>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_urls = 1'000'000;

// A piece of the pattern and all its values.
struct Piece {
    std::vector<std::string> values;
    bool is_glob = false;
};

// "1-10", "001-100:3", "a-z", "A-Z:2"
std::optional<std::vector<std::string>> range_values(std::string_view text) {
    std::uint64_t step = 1;
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto number = whole_number<std::uint64_t>(text.substr(colon + 1));
        if (!number || *number == 0) return std::nullopt;
        step = *number;
        text = text.substr(0, colon);
    }
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto from = text.substr(0, dash);
    const auto to = text.substr(dash + 1);
    std::vector<std::string> values;
    if (from.size() == 1 && to.size() == 1 && ascii::is_letter(from[0]) &&
        ascii::is_letter(to[0])) {
        if (from[0] > to[0]) return std::nullopt;
        for (auto letter = static_cast<std::uint64_t>(from[0]);
             letter <= static_cast<std::uint64_t>(to[0]); letter += step)
            values.emplace_back(1, static_cast<char>(letter));
        return values;
    }
    const auto first = whole_number<std::uint64_t>(from);
    const auto last = whole_number<std::uint64_t>(to);
    if (!first || !last || *first > *last || *last == std::numeric_limits<std::uint64_t>::max())
        return std::nullopt;
    if ((*last - *first) / step >= max_urls)
        throw std::invalid_argument(fmt::format("[{}] is more than {} URLs", text, max_urls));
    const auto width = from.starts_with('0') ? from.size() : 0;
    for (auto number = *first; number <= *last; number += step) {
        values.push_back(fmt::format("{:0{}}", number, width));
        if (*last - number < step) break;
    }
    return values;
}

class Pattern {
  public:
    explicit Pattern(std::string_view text) : left_(text) {}

    std::vector<Piece> parse() {
        std::vector<Piece> pieces;
        std::string literal;
        const auto add = [&](std::vector<std::string> values) {
            pieces.push_back({{std::move(literal)}, false});
            literal.clear();
            pieces.push_back({std::move(values), true});
        };
        while (!left_.empty()) {
            if (left_.front() == '{') {
                add(set());
            } else if (left_.front() == '[') {
                if (!skips_brackets(literal)) add(range());
            } else if (left_.front() == '}' || left_.front() == ']') {
                throw std::invalid_argument(fmt::format(
                    "unmatched {} (-g treats brackets and braces as ordinary characters)",
                    left_.front()));
            } else {
                literal += next();
            }
        }
        pieces.push_back({{std::move(literal)}, false});
        return pieces;
    }

  private:
    // The next character. A backslash before it is removed.
    char next() {
        constexpr std::string_view special = "{}[],";
        if (left_.size() > 1 && left_[0] == '\\' &&
            special.find(left_[1]) != std::string_view::npos)
            left_.remove_prefix(1);
        const char byte = left_.front();
        left_.remove_prefix(1);
        return byte;
    }

    std::vector<std::string> set() {
        left_.remove_prefix(1);
        std::vector<std::string> values(1);
        while (!left_.empty() && left_.front() != '}') {
            if (left_.front() == ',') {
                left_.remove_prefix(1);
                values.emplace_back();
            } else if (left_.front() == '{' || left_.front() == '[' || left_.front() == ']') {
                throw std::invalid_argument("expected no brackets or braces within {}");
            } else {
                values.back() += next();
            }
        }
        if (left_.empty())
            throw std::invalid_argument("expected a } (-g treats braces as ordinary characters)");
        left_.remove_prefix(1);
        if (values.size() == 1 && values.front().empty())
            throw std::invalid_argument(
                "expected something within {} (-g treats braces as ordinary characters)");
        return values;
    }

    // "[]" and "[::1]" are not ranges. Moves them to LITERAL and returns true.
    bool skips_brackets(std::string& literal) {
        const auto inside = left_.substr(1, left_.find(']') - 1);
        const bool is_address =
            inside.find(':') != std::string_view::npos &&
            net::Address::parse_ip(inside.substr(0, inside.find('%')), 0).has_value();
        if (left_.find(']') == std::string_view::npos || (!inside.empty() && !is_address))
            return false;
        literal += left_.substr(0, inside.size() + 2);
        left_.remove_prefix(inside.size() + 2);
        return true;
    }

    std::vector<std::string> range() {
        const auto end = left_.find(']');
        const auto inside = left_.substr(1, std::min(end, left_.size()) - 1);
        auto values = range_values(inside);
        if (end == std::string_view::npos || !values)
            throw std::invalid_argument(
                fmt::format("expected a range such as [1-10] or [a-z:2], not [{}] (-g treats "
                            "brackets as ordinary characters)",
                            inside));
        left_.remove_prefix(end + 1);
        return std::move(*values);
    }

    std::string_view left_;
};

} // namespace

std::vector<GlobbedUrl> expand_globs(std::string_view text) {
    std::vector<GlobbedUrl> urls(1);
    for (const auto& piece : Pattern{text}.parse()) {
        if (urls.size() * piece.values.size() > max_urls)
            throw std::invalid_argument(fmt::format("more than {} URLs", max_urls));
        std::vector<GlobbedUrl> longer;
        longer.reserve(urls.size() * piece.values.size());
        for (const auto& url : urls)
            for (const auto& value : piece.values) {
                longer.push_back({url.url + value, url.values});
                if (piece.is_glob) longer.back().values.push_back(value);
            }
        urls = std::move(longer);
    }
    return urls;
}

std::string fill_in(std::string_view name, const std::vector<std::string>& values) {
    std::string result;
    while (!name.empty()) {
        const auto digits = name.front() != '#'
                                ? std::string_view{}
                                : name.substr(1, name.find_first_not_of("0123456789", 1) - 1);
        const auto number = whole_number<std::size_t>(digits).value_or(0);
        if (number >= 1 && number <= values.size()) {
            result += values[number - 1];
            name.remove_prefix(digits.size() + 1);
        } else {
            result += name.front();
            name.remove_prefix(1);
        }
    }
    return result;
}

} // namespace ipcbox::front
