#include "http/digest_login.h"

#include "http/failure.h"
#include "http/response_parser.h"

#include <doctest/doctest.h>

using namespace ipcbox::http;

namespace {

ResponseHead head_with(std::initializer_list<std::string_view> values) {
    ResponseHead head;
    for (const auto value : values)
        head.fields.push_back({"WWW-Authenticate", std::string{value}});
    return head;
}

std::optional<DigestChallenge> find(std::initializer_list<std::string_view> values) {
    return DigestChallenge::find(head_with(values), "www-authenticate");
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("RFC 7616's example is answered with MD5 and with SHA-256") {
    const Credentials mufasa{"Mufasa", "Circle of Life"};
    constexpr auto md5 = R"(Digest realm="http-auth@example.org", qop="auth, auth-int", )"
                         R"(algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", )"
                         R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
    constexpr auto sha =
        R"(Digest realm="http-auth@example.org", qop="auth, auth-int", )"
        R"(algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", )"
        R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
    constexpr auto client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    auto only_md5 = find({md5});
    REQUIRE(only_md5);
    CHECK(only_md5->answer(mufasa, "GET", "/dir/index.html", client) ==
          R"(Digest username="Mufasa", realm="http-auth@example.org", )"
          R"(nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", )"
          R"(response="8ca523f5e9506fed4657c9700eebdbec", )"
          R"(cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", nc=00000001, qop=auth, )"
          R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm=MD5)");
    CHECK(has(only_md5->answer(mufasa, "GET", "/dir/index.html", client), "nc=00000002"));
    auto both = find({md5, sha});
    REQUIRE(both);
    const auto text = both->answer(mufasa, "GET", "/dir/index.html", client);
    CHECK(has(text, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
    CHECK(has(text, "algorithm=SHA-256"));
}

TEST_CASE("RFC 2069's answer has neither a client's nonce nor a count") {
    auto challenge =
        find({R"(Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093")"});
    REQUIRE(challenge);
    const auto text =
        challenge->answer({"Mufasa", "CircleOfLife"}, "GET", "/dir/index.html", "unused");
    CHECK(has(text, R"(response="1949323746fe6a43ef61f9606e7febea")"));
    CHECK_FALSE(has(text, "nc="));
    CHECK_FALSE(has(text, "opaque"));
    CHECK_FALSE(has(text, "algorithm"));
}

TEST_CASE("a challenge that cannot be answered is passed over") {
    CHECK_FALSE(find({}));
    CHECK_FALSE(find({R"(Basic realm="x")"}));
    CHECK_FALSE(find({R"(Digest realm="x")"}));
    CHECK_FALSE(find({R"(Digest realm="x", nonce="n", algorithm=SHA-512-256, qop="auth")"}));
    CHECK_FALSE(find({R"(Digest realm="x", nonce="n", qop="auth-int")"}));
    CHECK(find({R"(Digest realm="x", nonce="n", algorithm=NEW)", R"(Digest nonce="n")"}));
    CHECK(find({R"(Negotiate YII==, Digest nonce="n",qop=auth , Basic realm="a, b")"}));
    CHECK(find({R"(Digest nonce="n", stale=TRUE)"})->is_stale());
    CHECK_FALSE(find({R"(Digest nonce="n", stale=false)"})->is_stale());
}

TEST_CASE("a list of challenges is taken apart") {
    const auto list =
        parse_challenges(R"(Negotiate, Basic realm="a \"b\", c" , charset = UTF-8,Digest nonce=n)");
    REQUIRE(list.size() == 3);
    CHECK(list[0].scheme == "negotiate");
    CHECK(list[1].find("realm") == "a \"b\", c");
    CHECK(list[1].find("charset") == "UTF-8");
    CHECK(list[2].find("nonce") == "n");
    CHECK(parse_challenges("").empty());
    CHECK(parse_challenges(", ,=,\"").empty());
    CHECK(parse_challenges("a=b").empty());
    CHECK(offers(head_with({R"(Digest nonce="n", Basic realm="x")"}), "WWW-Authenticate", "basic"));
    CHECK_FALSE(offers(head_with({R"(Digest nonce="Basic")"}), "WWW-Authenticate", "basic"));
}

TEST_CASE("names are quoted, and cannot end the field") {
    auto challenge = find({R"(Digest realm="a\"b", nonce="n", userhash=true, qop="auth")"});
    REQUIRE(challenge);
    const auto text = challenge->answer({"us\"er", "p"}, "GET", "/", "c");
    CHECK(has(text, R"(realm="a\"b")"));
    CHECK(has(text, "userhash=true"));
    auto plain = find({R"(Digest realm="a", nonce="n")"});
    CHECK(has(plain->answer({"us\"er\\", "p"}, "GET", "/", "c"), R"(username="us\"er\\")"));
    CHECK_THROWS_AS((void)plain->answer({"a\r\nX: y", "p"}, "GET", "/", "c"), TransferError);
}
