#include "http/netrc.h"

#include "core/ascii.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/text_lines.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <initializer_list>

namespace ipcbox::http {

namespace {

constexpr std::size_t max_bytes = 1024UL * 1024;

class Words {
  public:
    explicit Words(std::string_view text) : left_(without_byte_order_mark(text)) {}

    // The next word where a keyword can stand, without comments, which begin with #. Nothing at the
    // end.
    std::optional<std::string> next() {
        for (;;) {
            skip_blanks();
            if (left_.empty()) return std::nullopt;
            if (left_.front() != '#') return word();
            skip_line();
        }
    }

    // The value of a keyword, which can begin with #. If the next entry begins here instead,
    // returns nothing and leaves its words.
    std::optional<std::string> value() {
        bool same_line = skip_blanks();
        while (!same_line && left_.starts_with('#')) {
            skip_line();
            skip_blanks();
        }
        if (left_.empty() || begins_entry(left_, same_line)) return std::nullopt;
        return word();
    }

    void skip_macro() {
        const auto end = std::min(left_.find("\n\n"), left_.find("\n\r\n"));
        skip(std::min(end, left_.size()));
    }

  private:
    static constexpr std::string_view blanks = " \t\r\n";

    // Whether the next entry begins in TEXT, where a value is expected. On the keyword's own line,
    // "machine" begins an entry only if a name follows, because it can also be a password.
    static bool begins_entry(std::string_view text, bool same_line) {
        const auto first = text.substr(0, text.find_first_of(blanks));
        const auto is = [](std::string_view word, std::initializer_list<std::string_view> names) {
            return std::ranges::any_of(
                names, [word](auto name) { return ascii::same_but_for_case(word, name); });
        };
        if (!same_line) return is(first, {"machine", "default", "macdef"});
        text.remove_prefix(first.size());
        text = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
        const auto second = text.substr(0, text.find_first_of(blanks));
        return is(first, {"machine"}) && !second.empty() && second.front() != '#' &&
               !is(second, {"login", "password", "account", "machine", "default", "macdef"});
    }

    std::string word() {
        if (left_.front() == '"') return quoted();
        const auto plain = left_.substr(0, left_.find_first_of(blanks));
        skip(plain.size());
        return std::string{plain};
    }

    // Skips blanks. Returns whether the next word is on the same line.
    bool skip_blanks() {
        const auto line = line_;
        skip(std::min(left_.find_first_not_of(blanks), left_.size()));
        return line_ == line;
    }
    void skip_line() { skip(std::min(left_.find('\n'), left_.size())); }
    void skip(std::size_t size) {
        line_ += static_cast<unsigned>(std::ranges::count(left_.substr(0, size), '\n'));
        left_.remove_prefix(size);
    }

    std::string quoted() {
        std::string word;
        for (std::size_t at = 1; at < left_.size() && left_[at] != '\n'; ++at) {
            if (left_[at] == '"') {
                skip(at + 1);
                return word;
            }
            if (left_[at] == '\\' && at + 1 < left_.size())
                word += unescaped(left_[++at]);
            else
                word += left_[at];
        }
        throw Error(
            fmt::format("cannot read the netrc file: line {}: expected a closing quote", line_));
    }

    static char unescaped(char byte) {
        switch (byte) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return byte;
        }
    }

    std::string_view left_;
    unsigned line_ = 1;
};

} // namespace

std::optional<Credentials> credentials_for(std::string_view netrc, std::string_view host,
                                           std::string_view user) {
    Words words{netrc};
    std::optional<Credentials> entry; // the current entry, if it is for the host
    const auto is_found = [&] { return entry && (user.empty() || entry->user == user); };
    while (const auto word = words.next()) {
        const auto is = [&word](std::string_view name) {
            return ascii::same_but_for_case(*word, name);
        };
        if (is("macdef")) {
            words.skip_macro();
        } else if (is("machine") || is("default")) {
            if (is_found()) break;
            const bool is_ours =
                is("default") || ascii::same_but_for_case(words.value().value_or(""), host);
            entry = is_ours ? std::optional<Credentials>{std::in_place} : std::nullopt;
        } else if (is("login") || is("password") || is("account")) {
            auto value = words.value().value_or("");
            if (entry && is("login"))
                entry->user = std::move(value);
            else if (entry && is("password"))
                entry->password = std::move(value);
        }
    }
    return is_found() ? entry : std::nullopt;
}

std::string load_netrc(const std::string& path) try {
    // Opening a FIFO would make us wait for a writer.
    return read_to_end(open_file(path, O_RDONLY | O_NONBLOCK).get(), max_bytes, path);
} catch (const SysError& error) {
    if (error.error() == ENOENT || error.error() == ENOTDIR) return {};
    throw;
}

} // namespace ipcbox::http
