#include "http/login.h"

#include <doctest/doctest.h>

using namespace ipcbox::http;

namespace {

std::string text(const std::optional<Credentials>& login) {
    return login ? login->user + ":" + login->password : "nobody";
}

std::string login(const LoginRules& rules, std::string_view first, std::string_view url) {
    return text(login_for(rules, Url::parse(first), Url::parse(url)));
}

// The netrc file of these tests. The password of each user at each host is "HOST-USER".
std::optional<Credentials> netrc(const Url& url, std::string_view user) {
    const std::string name{user.empty() ? "default" : user};
    return Credentials{name, url.host + "-" + name};
}

} // namespace

TEST_CASE("-u wins over the URL, and the URL wins over netrc") {
    const LoginRules none;
    CHECK(login(none, "http://a/", "http://a/") == "nobody");
    CHECK(login(none, "http://c:d@a/", "http://c:d@a/") == "c:d");
    const LoginRules given{Credentials{"a", "b"}, {}, false};
    CHECK(login(given, "http://c:d@a/", "http://c:d@a/") == "a:b");
    const LoginRules file{{}, netrc, false};
    CHECK(login(file, "http://c:d@a/", "http://c:d@a/") == "c:d");
    CHECK(login(file, "http://a/", "http://a/") == "default:a-default");
}

TEST_CASE("netrc completes a user without a password") {
    const LoginRules file{{}, netrc, false};
    CHECK(login(file, "http://bob@a/", "http://bob@a/") == "bob:a-bob");
    const LoginRules given{Credentials{"eve", ""}, netrc, false};
    CHECK(login(given, "http://a/", "http://a/") == "eve:a-eve");
    const LoginRules empty{{}, [](const Url&, std::string_view) { return std::nullopt; }, false};
    CHECK(login(empty, "http://bob@a/", "http://bob@a/") == "bob:");
}

TEST_CASE("a redirect keeps the login at its origin, and no other origin gets it") {
    const LoginRules none;
    CHECK(login(none, "http://u:p@a/x", "http://a/y") == "u:p");
    CHECK(login(none, "http://u:p@a/x", "http://u:p@a/y") == "u:p");
    CHECK(login(none, "http://u:p@a/x", "http://v:q@a/y") == "v:q");
    const LoginRules given{Credentials{"a", "b"}, {}, false};
    for (const auto* other :
         {"http://b/", "https://a/", "http://a:8080/", "http://a.a/", "http://x.a/"}) {
        CAPTURE(other);
        CHECK(login(none, "http://u:p@a/", other) == "nobody");
        CHECK(login(given, "http://a/", other) == "nobody");
        const LoginRules trusting{Credentials{"a", "b"}, {}, true};
        CHECK(login(trusting, "http://a/", other) == "a:b");
    }
    CHECK(login(given, "http://a/", "http://v:q@b/") == "v:q");
    const LoginRules file{{}, netrc, false};
    CHECK(login(file, "http://u:p@a/", "http://b/") == "default:b-default");
}
