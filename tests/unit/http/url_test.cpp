#include "http/url.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

std::string text(std::string_view url) {
    return Url::parse(url).text();
}

std::string target(std::string_view url) {
    return Url::parse(url).target;
}

std::string resolved(std::string_view base, std::string_view reference) {
    return Url::parse(base).resolve(reference).text();
}

std::string file_name(std::string_view url) {
    return Url::parse(url).file_name();
}

std::string wrong(std::string_view url) {
    try {
        return "right: " + Url::parse(url).text();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("a URL is split into its parts") {
    const auto url = Url::parse("HTTPS://Alice:p%40ss@Example.ORG:8443/a/b?c=d#e");
    CHECK(url.scheme == "https");
    CHECK(url.is_https());
    CHECK(url.credentials == Credentials{"Alice", "p@ss"});
    CHECK(url.host == "example.org");
    CHECK(url.port == 8443);
    CHECK(url.target == "/a/b?c=d");
    CHECK(url.authority() == "example.org:8443");
    CHECK(url.text() == "https://example.org:8443/a/b?c=d");
}

TEST_CASE("parts of a URL may be left out") {
    const auto url = Url::parse("http://host");
    CHECK_FALSE(url.credentials);
    CHECK_FALSE(url.is_https());
    CHECK(url.port == 80);
    CHECK(url.target == "/");
    CHECK(url.authority() == "host");
    CHECK(Url::parse("https://host").port == 443);
    CHECK(Url::parse("https://host:80").authority() == "host:80");
    CHECK(Url::parse("https://host:443").authority() == "host");
    CHECK(text("http://host:") == "http://host/");
    CHECK(text("http://host:0080") == "http://host/");
    CHECK(target("http://host?query") == "/?query");
    CHECK(target("http://host#fragment?x/y") == "/");
    CHECK(target("http://host/a#b?c") == "/a");
    CHECK(target("http://host/a?b#c") == "/a?b");
    CHECK(target("http://host/?") == "/?");
    const auto url_with_fragment = Url::parse("http://host/a?b#c?/d e");
    CHECK(url_with_fragment.fragment == "#c?/d%20e");
    CHECK(url_with_fragment.text() == "http://host/a?b");
    CHECK(url_with_fragment.resolve("/x").fragment.empty());
    CHECK(url_with_fragment.resolve("x#y").fragment == "#y");
    CHECK(url_with_fragment.resolve("#z").text() == "http://host/a?b");
    CHECK(url_with_fragment.resolve("#z").fragment == "#z");
    CHECK(url_with_fragment.resolve("//other#o").fragment == "#o");
}

TEST_CASE("an IPv4 address has one form") {
    for (const auto* address : {"127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.01"})
        CHECK(text("http://" + std::string{address} + "/") == "http://127.0.0.1/");
    CHECK(text("http://1.2.3.4.5/") == "http://1.2.3.4.5/");
    CHECK(text("http://127.0.0.1.nip.example/") == "http://127.0.0.1.nip.example/");
}

TEST_CASE("a URL may have a user and a password") {
    const auto who = [](std::string_view url) { return Url::parse(url).credentials.value(); };
    CHECK(who("http://user@host") == Credentials{"user", ""});
    CHECK(who("http://user:@host") == Credentials{"user", ""});
    CHECK(who("http://:secret@host") == Credentials{"", "secret"});
    CHECK(who("http://@host") == Credentials{});
    CHECK(who("http://a:b:c@host") == Credentials{"a", "b:c"});
    CHECK(who("http://a@b:c@host") == Credentials{"a@b", "c"});
    CHECK(who("http://%3a%2F:%C3%A4@host") == Credentials{":/", "\xc3\xa4"});
    CHECK(Url::parse("http://a@b@host").host == "host");
    // A query is never a host, whatever is in it.
    CHECK(Url::parse("http://host/?user@other").host == "host");
    CHECK(Url::parse("http://host?user@other").host == "host");
    CHECK(Url::parse("http://host#@other").host == "host");
}

TEST_CASE("a host may be an address") {
    CHECK(Url::parse("http://192.0.2.1:8080/").authority() == "192.0.2.1:8080");
    const auto url = Url::parse("http://[2001:DB8:0::1]:8080/");
    CHECK(url.host == "2001:db8::1");
    CHECK(url.authority() == "[2001:db8::1]:8080");
    CHECK(url.text() == "http://[2001:db8::1]:8080/");
    CHECK(Url::parse("http://[::1]").authority() == "[::1]");
    CHECK(Url::parse("http://[::ffff:192.0.2.1]").authority() == "192.0.2.1");
}

TEST_CASE("an interface is for us, and not for the server") {
    for (const auto* written : {"http://[fe80::1%25eth0]:81/", "http://[fe80::1%eth0]:81/"}) {
        const auto url = Url::parse(written);
        CHECK(url.host == "fe80::1%eth0");
        CHECK(url.authority() == "[fe80::1]:81");
        CHECK(url.text() == "http://[fe80::1%25eth0]:81/");
    }
    CHECK(text("http://[fe80::1%25]/") == "http://[fe80::1%2525]/"); // the interface has number 25
    CHECK(text("http://[fe80::1%2525]/") == "http://[fe80::1%2525]/");
}

TEST_CASE("characters that a request line cannot hold are percent-encoded") {
    CHECK(target("http://h/a b?c d") == "/a%20b?c%20d");
    CHECK(target("http://h/\xc3\xa4?\xc3\xb6") == "/%C3%A4?%C3%B6");
    CHECK(target("http://h/\"<>`{}|^\\?\"<>`{}|^\\'") ==
          "/%22%3C%3E%60%7B%7D|^\\?%22%3C%3E`{}|^\\'");
    CHECK(target("http://h/%41%zz%") == "/%41%zz%"); // the text may already be encoded
    CHECK(target("http://h/a;b=c,d/$&+?e=f&g=+") == "/a;b=c,d/$&+?e=f&g=+");
}

TEST_CASE("dots that stand for directories are resolved") {
    CHECK(target("http://h/.") == "/");
    CHECK(target("http://h/..") == "/");
    CHECK(target("http://h/../../a") == "/a");
    CHECK(target("http://h/a/./b/../c") == "/a/c");
    CHECK(target("http://h/a/b/.") == "/a/b/");
    CHECK(target("http://h/a/b/..") == "/a/");
    CHECK(target("http://h/a//../b") == "/a/b");
    CHECK(target("http://h//a//") == "//a//");
    CHECK(target("http://h/.a/..b/c./d..") == "/.a/..b/c./d..");
    CHECK(target("http://h/a?/../b") == "/a?/../b");
}

TEST_CASE("a text that is not an http URL is refused") {
    const std::string scheme = "expected a URL that begins with http:// or https://";
    for (const auto* url : {"", "host", "host/path", "http:", "http:/host", "ftp://host", "://host",
                            "file:///etc/passwd", " http://host", "httpx://host", "//host"})
        CHECK(wrong(url) == scheme);
    CHECK_THROWS_AS((void)Url::parse("ftp://host"), OtherScheme);
    for (const auto* url : {"http://", "http:///path", "https://?", "http://#", "http://:80",
                            "http://user@", "http://user@:80/", "http://::1/"})
        CHECK(wrong(url) == "expected a host");
    for (const auto* url : {"http://h:0", "http://h:65536", "http://h:-1", "http://h:+1",
                            "http://h:80x", "http://h:8 0", "http://h:http", "http://[::1]:x"})
        CHECK(wrong(url) == "expected a port from 1 to 65535");
    for (const auto* url : {"http://[]", "http://[::1::]", "http://[192.0.2.1]", "http://[host]",
                            "http://[::1%]", "http://[v1.x]", "http://[fe80::1%25a%20b]"})
        CHECK(wrong(url) == "expected an IPv6 address in brackets");
    CHECK(wrong("http://[::1") == "expected a closing bracket");
    CHECK(wrong("http://[") == "expected a closing bracket");
    CHECK(wrong("http://[::1]80") == "expected a port or nothing after the brackets");
    for (const auto* url :
         {"http://a b/", "http://a%20b/", "http://a%2fb/", "http://a%00b/", "http://a\\b/",
          "http://\xc3\xa4.example/", "http://a%0d%0ab/", "http://a,b/", "http://*/", "http://a%/"})
        CHECK(wrong(url) == "expected a host of ASCII letters, digits, dots and hyphens (others in "
                            "their xn-- form)");
    CHECK(text("http://ex%61mple.org/") == "http://example.org/");
    CHECK(text("http://a_b.xn--bcher-kva.example./") == "http://a_b.xn--bcher-kva.example./");
}

TEST_CASE("no URL begins a new line") {
    using namespace std::string_view_literals;
    for (const auto url :
         {"http://h/a\r\nHost: x"sv, "http://h/\n"sv, "http://h/\ta"sv, "http://h/\0"sv,
          "http://h/\x7f"sv, "http://u\n@h/"sv, "http://h\r/"sv, "http://h/#\n"sv})
        CHECK(wrong(url) == "expected a URL without control characters");
    const auto base = Url::parse("http://h/");
    CHECK_THROWS_AS((void)base.resolve("/a\r\nb"), std::invalid_argument);
    CHECK_THROWS_AS((void)base.resolve("#\n"), std::invalid_argument);
    CHECK_THROWS_AS((void)Authority::parse("host\n"), std::invalid_argument);
}

TEST_CASE("the references of RFC 3986, section 5.4, are resolved") {
    struct Row {
        std::string_view reference, meaning;
    };
    constexpr Row rows[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/../x", "http://a/b/c/g"},
    };
    for (const auto& row : rows)
        CHECK(resolved("http://a/b/c/d;p?q", row.reference) == row.meaning);
}

TEST_CASE("other texts that servers send in Location are resolved") {
    CHECK(resolved("http://a/b", "https://c:8443/d") == "https://c:8443/d");
    CHECK(resolved("https://a:8443/b", "//c/d") == "https://c/d");
    CHECK(resolved("https://a:8443/b", "/d") == "https://a:8443/d");
    CHECK(resolved("http://a", "b") == "http://a/b");
    CHECK(resolved("http://a?x/y", "b") == "http://a/b");
    CHECK(resolved("http://a/b", "/c d/\xc3\xa4") == "http://a/c%20d/%C3%A4");
    CHECK(resolved("http://a/b/c", "./d:e") == "http://a/b/d:e");
    const auto base = Url::parse("http://a/b");
    for (const auto* reference : {"ftp://c/d", "g:h", "http:g", "javascript:alert(1)",
                                  "file:///etc/passwd", "//", "///c", "http://"})
        CHECK_THROWS_AS((void)base.resolve(reference), std::invalid_argument);
}

TEST_CASE("credentials stay on their host") {
    const auto base = Url::parse("http://user:secret@a/b");
    CHECK(base.resolve("c").credentials == base.credentials);
    CHECK(base.resolve("").credentials == base.credentials);
    CHECK_FALSE(base.resolve("//a/c").credentials);
    CHECK_FALSE(base.resolve("//other/c").credentials);
    CHECK_FALSE(base.resolve("https://a/c").credentials);
    CHECK(base.resolve("http://me@other/c").credentials == Credentials{"me", ""});
}

TEST_CASE("a secret goes only to the same origin") {
    const auto base = Url::parse("http://host/a");
    CHECK(base.same_origin(Url::parse("http://HOST:80/b?c")));
    CHECK(base.same_origin(Url::parse("http://user@host/")));
    CHECK_FALSE(base.same_origin(Url::parse("https://host:80/a")));
    CHECK_FALSE(base.same_origin(Url::parse("http://host:81/a")));
    CHECK_FALSE(base.same_origin(Url::parse("http://host./a")));
    CHECK(Url::parse("http://[::1]").same_origin(Url::parse("http://[0::1]")));
}

TEST_CASE("a document gets the last name of its path") {
    CHECK(file_name("http://h/a/b.tar.gz?c=/d") == "b.tar.gz");
    CHECK(file_name("http://h/a%20b") == "a b");
    CHECK(file_name("http://h/%C3%A4") == "\xc3\xa4");
    CHECK(file_name("http://h/100%") == "100%");
    for (const auto* url : {"http://h", "http://h/", "http://h/a/", "http://h/a/..", "http://h/?x",
                            "http://h/%2e%2E", "http://h/a/%2e"})
        CHECK(file_name(url).empty());
    CHECK(file_name("http://h/..%2f..%2fetc%2fpasswd") == ".._.._etc_passwd");
    CHECK(file_name("http://h/a%00b%0a%1b[31m") == "a_b__[31m");
    CHECK(safe_file_name("../a") == ".._a");
    CHECK(safe_file_name("/") == "_");
}

TEST_CASE("only well-formed triplets are decoded") {
    CHECK(percent_decoded("") == "");
    CHECK(percent_decoded("%41%4a%4A") == "AJJ");
    CHECK(percent_decoded("%") == "%");
    CHECK(percent_decoded("%4") == "%4");
    CHECK(percent_decoded("%4g%g4%%41") == "%4g%g4%A");
    CHECK(percent_decoded("%2541") == "%41");
    CHECK(percent_decoded("a+b") == "a+b");
}
