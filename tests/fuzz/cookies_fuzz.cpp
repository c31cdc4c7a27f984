// Texts of servers and files that a later request repeats: cookies, their dates, challenges for a
// login, and file names. Each parser gets the same bytes.
#include "cookies/date.h"
#include "cookies/jar.h"
#include "download/suggested_name.h"
#include "http/digest_login.h"
#include "http/response_parser.h"
#include "require.h"

#include <cstdint>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

constexpr std::time_t now = 1'800'000'000;

void check_field(const std::string& field) {
    require(field.size() <= cookies::Jar::max_field_bytes);
    for (const char byte : field)
        require(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f);
}

void check_cookies(std::string_view text) {
    const auto url = Url::parse("https://www.example.co.uk/a/b");
    cookies::Jar jar;
    jar.store(url, text, now);
    check_field(jar.field_for(url, now));
    // Other hosts get no cookie.
    require(jar.field_for(Url::parse("https://other.co.uk/a/b"), now).empty());
    require(jar.field_for(Url::parse("https://co.uk/a/b"), now).empty());
    cookies::Jar file;
    file.load(text, now, cookies::Jar::SessionCookies::keep);
    const auto written = file.netscape_text(now);
    cookies::Jar again;
    again.load(written, now, cookies::Jar::SessionCookies::keep);
    require(again.netscape_text(now) == written);
}

void check_challenges(std::string_view text) {
    ResponseHead head;
    head.fields.push_back({"WWW-Authenticate", std::string{text}});
    (void)offers(head, "www-authenticate", "basic");
    auto challenge = DigestChallenge::find(head, "www-authenticate");
    if (!challenge) return;
    const auto answer = challenge->answer({"user", "secret"}, "GET", "/", "nonce");
    require(answer.starts_with("Digest "));
    require(answer.find("secret") == std::string::npos || text.find("secret") != text.npos);
}

void check_name(std::string_view text) {
    const auto name = download::suggested_file_name(text);
    require(name.find('/') == std::string::npos && !name.starts_with('.'));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_cookies(text);
    (void)cookies::parse_date(text);
    check_challenges(text);
    check_name(text);
    return 0;
}
