// Texts that users of webget write: configuration files, globs, parts of forms, protocols, formats.
// Each parser gets the same bytes.
#include "core/error.h"
#include "front/webget/config_file.h"
#include "front/webget/glob.h"
#include "front/webget/option_values.h"
#include "front/webget/write_out.h"
#include "http/form.h"
#include "require.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::front;

namespace {

// WORK may reject its text, but must not fail in any other way.
template <class Work> void try_it(Work work) {
    try {
        work();
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    } catch (const Error&) {                 // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_globs(std::string_view text) {
    // Leave out ranges and products of nearly a million, which would take too long.
    const auto count = [text](std::string_view bytes) {
        return std::ranges::count_if(text,
                                     [bytes](char byte) { return bytes.find(byte) != bytes.npos; });
    };
    if (count("0123456789") > 6 || count("{[") > 8) return;
    const auto urls = expand_globs(text);
    require(!urls.empty());
    (void)fill_in(text, urls.front().values);
}

void check_form(std::string_view text) {
    const auto part = http::FormPart::parse(text);
    std::string body;
    for (const auto& piece : http::form_body({part}, "boundary"))
        body += piece.text;
    require(body.starts_with("--boundary\r\n") && body.ends_with("--boundary--\r\n"));
    const auto head = body.substr(0, body.find("\r\n\r\n"));
    const auto lines = static_cast<std::size_t>(std::ranges::count(head, '\n'));
    require(lines <= 2 + part.headers.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try_it([text] { check_globs(text); });
    try_it([text] { check_form(text); });
    try_it([text] { (void)config_words(text, "file"); });
    try_it([text] { (void)parse_schemes(text); });
    try_it([text] { (void)parse_byte_limit(text); });
    try_it([text] { (void)parse_date(text); });
    try_it([text] { (void)write_out(text, {}, {}); });
    return 0;
}
