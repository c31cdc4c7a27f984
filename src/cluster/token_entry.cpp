#include "cluster/token_entry.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/process_info.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::cluster {

namespace {

std::string quoted(std::string_view text) {
    std::string json = "\"";
    for (const char byte : text)
        if (byte == '"' || byte == '\\')
            json.append({'\\', byte});
        else if (ascii::is_control(byte) || !ascii::is_ascii(byte))
            // A host or a command may have a name in any encoding. Written as Latin-1, it is always
            // valid JSON.
            json += fmt::format("\\u{:04x}", static_cast<unsigned char>(byte));
        else
            json += byte;
    return json += '"';
}

// Reads an object whose members are texts and numbers. Each function removes what it returns from
// the front of the text.
class Members {
  public:
    explicit Members(std::string_view text) : left_(text) {}

    bool take(char mark) {
        const auto start = left_.find_first_not_of(" \t\r\n");
        left_.remove_prefix(std::min(start, left_.size()));
        if (!left_.starts_with(mark)) return false;
        left_.remove_prefix(1);
        return true;
    }
    // A code point above 255 becomes a question mark.
    std::optional<std::string> take_text() {
        if (!take('"')) return std::nullopt;
        std::string text;
        while (!left_.empty() && left_.front() != '"')
            if (!take_letter(text)) return std::nullopt;
        return take('"') ? std::optional{text} : std::nullopt;
    }
    // A text. A number, true, false or null is returned as it is written.
    std::optional<std::string> take_value() {
        if (take('"')) {
            left_ = {left_.data() - 1, left_.size() + 1};
            return take_text();
        }
        const auto word = left_.substr(0, left_.find_first_of(",} \t\r\n[{\""));
        if (word.empty()) return std::nullopt;
        left_.remove_prefix(word.size());
        return std::string{word};
    }

  private:
    bool take_letter(std::string& into) {
        const char letter = left_.front();
        left_.remove_prefix(1);
        if (letter != '\\') {
            into += letter;
            return true;
        }
        if (left_.empty()) return false;
        const char escape = left_.front();
        left_.remove_prefix(1);
        if (escape != 'u') {
            constexpr std::string_view names = "bfnrt";
            into += names.find(escape) == std::string_view::npos ? escape : ' ';
            return true;
        }
        constexpr std::size_t digits = 4;
        constexpr int hexadecimal = 16;
        constexpr unsigned last_of_latin = 0xff;
        const auto number = whole_number<unsigned>(left_.substr(0, digits), hexadecimal);
        if (left_.size() < digits || !number) return false;
        left_.remove_prefix(digits);
        into += *number <= last_of_latin ? static_cast<char>(*number) : '?';
        return true;
    }

    std::string_view left_;
};

std::string harmless(std::string text) {
    constexpr std::size_t max_length = 64;
    if (text.size() > max_length) text.resize(max_length);
    std::ranges::replace_if(
        text, [](char byte) { return ascii::is_control(byte) || !ascii::is_ascii(byte); }, '?');
    return text;
}

std::string own_host() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) < 0) return "?";
    return name.data();
}

} // namespace

TokenEntry TokenEntry::ours(std::string_view command) {
    if (const auto slash = command.rfind('/'); slash != std::string_view::npos)
        command.remove_prefix(slash + 1);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {.host = own_host(),
            .pid = ::getpid(),
            .user = user_name(::getuid()),
            .command = std::string{command},
            .since = std::chrono::duration_cast<std::chrono::seconds>(now).count()};
}

std::optional<TokenEntry> TokenEntry::parse(std::string_view text) {
    TokenEntry entry;
    Members members{text};
    if (!members.take('{')) return std::nullopt;
    while (!members.take('}')) {
        const auto name = members.take_text();
        if (!name || !members.take(':')) return std::nullopt;
        auto value = members.take_value();
        if (!value) return std::nullopt;
        if (*name == "host")
            entry.host = *std::move(value);
        else if (*name == "user")
            entry.user = *std::move(value);
        else if (*name == "command")
            entry.command = *std::move(value);
        else if (*name == "pid")
            entry.pid = whole_number<std::int64_t>(*value).value_or(0);
        else if (*name == "since")
            entry.since = whole_number<std::int64_t>(*value).value_or(0);
        else if (*name == "keeper")
            entry.keeper = whole_number<std::int64_t>(*value).value_or(0);
        else if (*name == "state")
            entry.state = *value == "held" ? State::held : State::waits;
        (void)members.take(',');
    }
    return entry;
}

std::string TokenEntry::json() const {
    return fmt::format(R"({{"host":{},"pid":{},"user":{},"command":{},"since":{},"state":"{}"{}}})",
                       quoted(host), pid, quoted(user), quoted(command), since,
                       state == State::held ? "held" : "waits",
                       keeper != 0 ? fmt::format(R"(,"keeper":{})", keeper) : "");
}

bool TokenEntry::is_of_this_host() const {
    return host == own_host();
}

std::string TokenEntry::text(std::chrono::system_clock::time_point now) const {
    // The clocks of the two hosts can differ.
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    const auto age = since > 0 && since < seconds.count()
                         ? std::chrono::seconds{seconds.count() - since}
                         : std::chrono::seconds{0};
    return fmt::format("{}:{} ({}, {}, {})", harmless(host), pid, harmless(command), harmless(user),
                       short_duration(age));
}

std::string names_of(const std::vector<TokenEntry>& holders) {
    const auto now = std::chrono::system_clock::now();
    std::string names;
    for (const auto& holder : holders)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", holder.text(now));
    return names.empty() ? "somebody who has just left" : names;
}

} // namespace ipcbox::cluster
