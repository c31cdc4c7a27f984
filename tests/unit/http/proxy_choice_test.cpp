#include "http/proxy_choice.h"

#include "core/error.h"

#include <doctest/doctest.h>
#include <map>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

using Variables = std::map<std::string, std::string>;

// "host:port" or "none"
std::string chosen(const Variables& variables, std::string_view url) {
    const auto environment = [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    };
    const auto proxy = proxy_for(Url::parse(url), environment);
    return proxy ? proxy->host + ":" + std::to_string(proxy->port) : "none";
}

bool is_excepted(std::string_view url, std::string_view list) {
    return http::is_excepted(Url::parse(url), list);
}

} // namespace

TEST_CASE("a proxy is read in every form that users write") {
    CHECK(parse_proxy("host:3128") == Proxy{"host", 3128, {}});
    CHECK(parse_proxy("Host") == Proxy{"host", 1080, {}});
    CHECK(parse_proxy("http://host") == Proxy{"host", 1080, {}});
    CHECK(parse_proxy("HTTP://host:80/ignored?#") == Proxy{"host", 80, {}});
    CHECK(parse_proxy("http://us%40er:p%3Ass@[::1]:3128/") ==
          Proxy{"::1", 3128, Credentials{"us@er", "p:ss"}});
    CHECK(parse_proxy("user:secret@host") == Proxy{"host", 1080, Credentials{"user", "secret"}});
    CHECK(parse_proxy("socks5://host:1080").kind == Proxy::Kind::socks5);
    CHECK(parse_proxy("socks5h://host").kind == Proxy::Kind::socks5h);
    for (const auto* text : {"socks4://host:1080", "https://host", "://host", "ftp://host"})
        CHECK_THROWS_WITH_AS((void)parse_proxy(text),
                             "expected a proxy such as http://host:3128 or socks5://host:1080 "
                             "(https and socks4 are not supported)",
                             std::invalid_argument);
    for (const auto* text :
         {"", "http://", ":3128", "host:0", "host:port", "ho st", "host\n", "::1"})
        CHECK_THROWS_AS((void)parse_proxy(text), std::invalid_argument);
}

TEST_CASE("each scheme has a variable, and there is one for all") {
    CHECK(chosen({}, "http://host") == "none");
    CHECK(chosen({{"http_proxy", "p:1"}}, "http://host") == "p:1");
    CHECK(chosen({{"http_proxy", "p:1"}}, "https://host") == "none");
    CHECK(chosen({{"https_proxy", "p:1"}}, "https://host") == "p:1");
    CHECK(chosen({{"https_proxy", "p:1"}}, "http://host") == "none");
    CHECK(chosen({{"HTTPS_PROXY", "p:1"}}, "https://host") == "p:1");
    CHECK(chosen({{"HTTPS_PROXY", "p:1"}, {"https_proxy", "q:2"}}, "https://host") == "q:2");
    CHECK(chosen({{"all_proxy", "p:1"}}, "http://host") == "p:1");
    CHECK(chosen({{"ALL_PROXY", "p:1"}}, "https://host") == "p:1");
    CHECK(chosen({{"ALL_PROXY", "p:1"}, {"http_proxy", "q:2"}}, "http://host") == "q:2");
    CHECK(chosen({{"all_proxy", "p:1"}, {"http_proxy", ""}}, "http://host") == "p:1");
    // In a CGI program, the client chooses this variable.
    CHECK(chosen({{"HTTP_PROXY", "p:1"}}, "http://host") == "none");
}

TEST_CASE("exceptions win over the variables") {
    CHECK(chosen({{"http_proxy", "p:1"}, {"no_proxy", "host"}}, "http://host") == "none");
    CHECK(chosen({{"http_proxy", "p:1"}, {"NO_PROXY", "host"}}, "http://host") == "none");
    CHECK(chosen({{"http_proxy", "p:1"}, {"NO_PROXY", "host"}, {"no_proxy", "other"}},
                 "http://host") == "p:1");
    CHECK(chosen({{"http_proxy", "socks5://p"}, {"no_proxy", "*"}}, "http://host") == "none");
}

TEST_CASE("a variable that is not a proxy is an error without its password") {
    CHECK_THROWS_WITH_AS((void)chosen({{"all_proxy", "http://user:secret@p:x"}}, "http://host"),
                         "cannot use the proxy in all_proxy: expected a port from 1 to 65535",
                         Error);
}

TEST_CASE("a name is excepted with all names below it") {
    for (const auto* list :
         {"example.org", ".example.org", "EXAMPLE.org.", "a,example.org", " a , example.org ,",
          "a example.org b", "org", "*", "a,*", "example.org:80", "*:80"})
        CHECK_MESSAGE(is_excepted("http://www.example.org/", list), list);
    CHECK(is_excepted("http://example.org/", ".example.org"));
    CHECK(is_excepted("http://example.org./", "example.org"));
    for (const auto* list : {"", ",", " ", ".", "ww.example.org", "xwww.example.org", "example",
                             "example.org:81", "example.org:", "example.org:http", "*.example.org",
                             "a.www.example.org", "192.0.2.1", "0.0.0.0/0", "ample.org", ":80"})
        CHECK_FALSE_MESSAGE(is_excepted("http://www.example.org/", list), list);
    CHECK(is_excepted("https://example.org/", "example.org:443"));
    CHECK_FALSE(is_excepted("https://example.org/", "example.org:80"));
}

TEST_CASE("an address is excepted by itself or by its network") {
    for (const auto* list : {"192.0.2.77", "192.0.2.0/24", "192.0.2.64/26", "0.0.0.0/0", "*",
                             "192.0.2.77/32", "192.0.2.77:80", "192.0.2.0/24:80", "::1,192.0.2.77"})
        CHECK_MESSAGE(is_excepted("http://192.0.2.77/", list), list);
    for (const auto* list :
         {"192.0.2.7", "2.77", "192.0.2", "192.0.2.78/32", "192.0.2.0/26", "192.0.2.0/33",
          "192.0.2.0/", "192.0.2.0/x", "192.0.2.77:81", "::/0", "192.0.2.0/-1", "/0"})
        CHECK_FALSE_MESSAGE(is_excepted("http://192.0.2.77/", list), list);
    for (const auto* list : {"2001:db8::1", "[2001:db8::1]", "2001:DB8:0::1", "2001:db8::/32",
                             "::/0", "[2001:db8::1]:80", "2001:db8::1/128", "*"})
        CHECK_MESSAGE(is_excepted("http://[2001:db8::1]/", list), list);
    for (const auto* list : {"2001:db8::2", "[2001:db8::1]:81", "2001:db8::1/129", "2001:db9::/32",
                             "0.0.0.0/0", "[", "[]", "]:80", "[]:80", "[2001:db8::1"})
        CHECK_FALSE_MESSAGE(is_excepted("http://[2001:db8::1]/", list), list);
    CHECK(is_excepted("http://[fe80::1%25lo]/", "fe80::/10"));
}
