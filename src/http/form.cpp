#include "http/form.h"

#include "core/ascii.h"
#include "core/text_lines.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::http {

namespace {

struct FileType {
    std::string_view ending;
    std::string_view type;
};
// curl's table.
constexpr std::array file_types{
    FileType{".gif", "image/gif"},       FileType{".jpg", "image/jpeg"},
    FileType{".jpeg", "image/jpeg"},     FileType{".png", "image/png"},
    FileType{".svg", "image/svg+xml"},   FileType{".txt", "text/plain"},
    FileType{".htm", "text/html"},       FileType{".html", "text/html"},
    FileType{".pdf", "application/pdf"}, FileType{".xml", "application/xml"},
};

constexpr std::string_view unknown_type = "application/octet-stream";

std::string_view type_of(std::string_view file) {
    const auto fits = [file](const FileType& one) {
        return file.size() >= one.ending.size() &&
               ascii::same_but_for_case(file.substr(file.size() - one.ending.size()), one.ending);
    };
    const auto* const found = std::ranges::find_if(file_types, fits);
    return found == file_types.end() ? unknown_type : found->type;
}

// Quotes a name as browsers do: quotes and line ends inside it are escaped.
std::string quoted(std::string_view text) {
    std::string result;
    for (const char byte : text)
        switch (byte) {
        case '"':
            result += "%22";
            break;
        case '\r':
            result += "%0D";
            break;
        case '\n':
            result += "%0A";
            break;
        default:
            result += byte;
        }
    return result;
}

std::string one_line(std::string text) {
    if (text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
        throw std::invalid_argument("expected one line without a line feed");
    return text;
}

// Removes the next word and the blanks around it, and returns the word. It is in quotes, or ends
// before the next ';'.
std::string take_word(std::string_view& text) {
    if (text.starts_with('"')) {
        std::string word;
        for (std::size_t at = 1; at < text.size(); ++at) {
            if (text[at] == '\\' && at + 1 < text.size() &&
                (text[at + 1] == '\\' || text[at + 1] == '"')) {
                word += text[++at];
            } else if (text[at] == '"') {
                auto rest = text.substr(at + 1);
                rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
                if (!rest.empty() && rest.front() != ';')
                    throw std::invalid_argument("expected ; or nothing after the closing quote");
                text = rest;
                return word;
            } else {
                word += text[at];
            }
        }
    }
    const auto word = text.substr(0, text.find(';'));
    text.remove_prefix(word.size());
    return std::string{trimmed(word)};
}

// ";type=text/plain; charset=utf-8;filename=x"
void read_parameters(FormPart& part, std::string_view text) {
    bool in_type = false;
    while (!text.empty()) {
        const auto whole = text.substr(0, text.find(';', 1));
        text.remove_prefix(std::min(text.find_first_not_of(" \t", 1), text.size()));
        const auto is = [&text](std::string_view name) {
            if (!ascii::same_but_for_case(text.substr(0, name.size()), name)) return false;
            text.remove_prefix(name.size());
            return true;
        };
        if (!in_type && is("type=")) {
            const auto type = text.substr(0, text.find(';'));
            text.remove_prefix(type.size());
            part.type = one_line(std::string{trimmed(type)});
            if (part.type.find('/') == std::string::npos)
                throw std::invalid_argument("expected a type such as text/plain after type=");
            in_type = true;
            continue;
        }
        if (is("filename=")) {
            part.file_name = take_word(text);
        } else if (is("headers=")) {
            if (text.starts_with('@') || text.starts_with('<'))
                throw std::invalid_argument(
                    "headers= from a file is not supported; write the field itself");
            part.headers.push_back(one_line(take_word(text)));
        } else if (is("encoder=")) {
            throw std::invalid_argument("encoder= is not supported");
        } else if (in_type) {
            part.type += one_line(std::string{whole}); // such as "; charset=utf-8"
            text.remove_prefix(std::min(text.find(';'), text.size()));
            continue;
        } else {
            throw std::invalid_argument(
                fmt::format("expected type=, filename= or headers= after ;, not '{}' "
                            "(--form-string sends everything unchanged)",
                            text.substr(0, text.find(';'))));
        }
        in_type = false;
    }
}

std::string_view take_name(std::string_view& text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        throw std::invalid_argument("expected NAME=CONTENT");
    const auto name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    return name;
}

} // namespace

FormPart FormPart::parse_plain(std::string_view text) {
    FormPart part;
    part.name = take_name(text);
    part.content.text = text;
    return part;
}

FormPart FormPart::parse(std::string_view text) {
    FormPart part;
    part.name = take_name(text);
    if (text.starts_with('(') || text == ")")
        throw std::invalid_argument("parts within a part are not supported");
    const bool is_upload = text.starts_with('@');
    const bool is_file = is_upload || text.starts_with('<');
    if (is_file) text.remove_prefix(1);
    const bool is_quoted = text.starts_with('"');
    auto word = take_word(text);
    if (!is_file) {
        part.content.text = std::move(word);
    } else if (word.empty()) {
        throw std::invalid_argument("expected the name of a file after @ or <");
    } else if (is_upload && !is_quoted && word.find(',') != std::string::npos) {
        throw std::invalid_argument("several files in one part are not supported; a comma in a "
                                    "file's name needs quotes: @\"a,b\"");
    } else {
        part.content.file = word;
        if (is_upload) part.file_name = word.substr(word.rfind('/') + 1);
    }
    read_parameters(part, text);
    if (is_upload && part.type.empty() && part.content.file != "-") {
        part.type = type_of(*part.file_name);
        if (part.type == unknown_type) part.type = type_of(*part.content.file);
    }
    return part;
}

std::vector<BodyPiece> form_body(const std::vector<FormPart>& parts, std::string_view boundary) {
    std::vector<BodyPiece> pieces(1);
    const auto say = [&pieces](std::string_view text) {
        if (pieces.back().file) pieces.emplace_back();
        pieces.back().text += text;
    };
    for (const auto& part : parts) {
        say(fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary,
                        quoted(part.name)));
        if (part.file_name) say(fmt::format("; filename=\"{}\"", quoted(*part.file_name)));
        say("\r\n");
        if (!part.type.empty()) say(fmt::format("Content-Type: {}\r\n", part.type));
        for (const auto& header : part.headers)
            say(header + "\r\n");
        say("\r\n");
        if (part.content.file)
            pieces.push_back(part.content);
        else
            say(part.content.text);
        say("\r\n");
    }
    say(fmt::format("--{}--\r\n", boundary));
    return pieces;
}

} // namespace ipcbox::http
