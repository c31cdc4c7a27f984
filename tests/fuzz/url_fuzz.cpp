// URLs, and references relative to them. The first line is a URL, and the second is the Location of
// a server.
#include "http/url.h"
#include "require.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

using namespace ipcbox::http;

namespace {

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char byte) { return byte > ' ' && byte < 0x7f; });
}

void check_name(const std::string& name) {
    require(name != "." && name != ".." && name.find('/') == std::string::npos);
    require(std::ranges::none_of(
        name, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }));
    require(safe_file_name(name) == name);
}

// A request can contain each part of it unchanged.
void check(const Url& url) {
    require(url.scheme == "http" || url.scheme == "https");
    require(!url.host.empty() && url.port != 0);
    require(url.target.starts_with('/') && url.target.find('#') == std::string::npos);
    require(is_printable(url.target) && is_printable(url.host) && is_printable(url.authority()));
    check_name(url.file_name());
    const auto again = Url::parse(url.text());
    require(again.text() == url.text() && again.same_origin(url) && again.target == url.target);
    require(again.authority() == url.authority());
    require(url.resolve("").text() == url.text());
    require(url.resolve(url.target).text() == url.text() || url.target.starts_with("//"));
    const auto behind = Authority::parse(url.authority());
    require(url.host.starts_with(behind.host) && !behind.credentials);
}

void check_reference(const Url& base, std::string_view reference) {
    try {
        const auto url = base.resolve(reference);
        check(url);
        require(url.same_origin(base) || !url.credentials ||
                reference.find('@') < reference.size());
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto line = text.substr(0, text.find('\n'));
    const auto reference = text.substr(std::min(line.size() + 1, text.size()));
    check_name(safe_file_name(text));
    require(percent_decoded(text).size() <= size);
    check_reference(Url::parse("https://user:secret@host:8443/a/b;c?d"), reference);
    try {
        const auto url = Url::parse(line);
        check(url);
        check_reference(url, reference);
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
    return 0;
}
