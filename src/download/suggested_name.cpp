#include "download/suggested_name.h"

#include "core/ascii.h"
#include "core/text_lines.h"
#include "http/url.h"

#include <algorithm>

namespace ipcbox::download {

namespace {

// Removes the value at the start of TEXT and the ';' after it, and returns the value: a token or a
// text in quotes.
std::string take_value(std::string_view& text) {
    std::string value;
    if (text.starts_with('"')) {
        text.remove_prefix(1);
        for (; !text.empty() && text.front() != '"'; text.remove_prefix(1)) {
            // A backslash escapes only a quote, because old browsers send paths: "C:\dir\file".
            if (text.starts_with("\\\"")) text.remove_prefix(1);
            value += text.front();
        }
    } else {
        value = trimmed(text.substr(0, text.find(';')));
    }
    text.remove_prefix(std::min(text.find(';'), text.size()));
    text.remove_prefix(text.empty() ? 0 : 1);
    return value;
}

// "UTF-8''na%C3%AFve.txt" (RFC 8187); empty for another character set.
std::string decoded(std::string_view value) {
    constexpr std::string_view charset = "utf-8'";
    if (!ascii::same_but_for_case(value.substr(0, charset.size()), charset)) return {};
    value.remove_prefix(charset.size());
    const auto language_end = value.find('\'');
    if (language_end == std::string_view::npos) return {};
    return http::percent_decoded(value.substr(language_end + 1));
}

std::string safe_name(std::string_view name) {
    name.remove_prefix(name.find_last_of("/\\") + 1); // npos + 1 is 0
    auto safe = http::safe_file_name(name);
    if (safe.starts_with('.')) safe.front() = '_';
    return safe;
}

} // namespace

std::string suggested_file_name(std::string_view field) {
    std::string plain;
    std::string extended;
    // Some servers leave out "attachment;".
    if (const auto type = field.substr(0, field.find(';'));
        type.find('=') == std::string_view::npos)
        field.remove_prefix(type.size());
    while (!field.empty()) {
        if (field.front() == ';' || field.front() == ' ' || field.front() == '\t') {
            field.remove_prefix(1);
            continue;
        }
        const auto equals = field.find('=');
        const auto semicolon = field.find(';');
        if (equals == std::string_view::npos || semicolon < equals) {
            field.remove_prefix(std::min(semicolon, field.size()));
            continue;
        }
        const auto name = trimmed(field.substr(0, equals));
        field.remove_prefix(equals + 1);
        field.remove_prefix(std::min(field.find_first_not_of(" \t"), field.size()));
        const auto value = take_value(field);
        if (ascii::same_but_for_case(name, "filename")) plain = value;
        if (ascii::same_but_for_case(name, "filename*")) extended = decoded(value);
    }
    const auto preferred = safe_name(extended);
    return preferred.empty() ? safe_name(plain) : preferred;
}

} // namespace ipcbox::download
