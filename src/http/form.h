// multipart/form-data (RFC 7578), in curl's words: -F 'name=@file;type=text/plain'. The functions
// here never read a file. They only name it, and the sender of the body streams it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

// A piece of a body: a text, or the content that a file has when it is sent ("-" is standard
// input).
struct BodyPiece {
    std::string text;
    std::optional<std::string> file;
};

struct FormPart {
    std::string name;
    BodyPiece content;
    std::optional<std::string> file_name; // the name that the server gets
    std::string type;                     // empty: none is said
    std::vector<std::string> headers;

    // -F: "name=content", "name=@file" (an upload) or "name=<file" (its content), and after it
    // ";type=…", ";filename=…" and ";headers=…". A value may stand in double quotes; a
    // backslash there quotes a quote and itself. Throws std::invalid_argument, also for features of
    // curl that we lack: several files, parts within parts, encoders.
    [[nodiscard]] static FormPart parse(std::string_view text);
    // --form-string: "name=content", with any content.
    [[nodiscard]] static FormPart parse_plain(std::string_view text);
};

// The body of PARTS. No part may contain BOUNDARY, so it must be long and random.
[[nodiscard]] std::vector<BodyPiece> form_body(const std::vector<FormPart>& parts,
                                               std::string_view boundary);

} // namespace ipcbox::http
