// Which login and which cookies a server gets.
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

HttpAnswer greet(const HttpRequest& /*request*/) {
    return ok("hello\n");
}

std::string login_of(const HttpRequest& request) {
    return request.field("Authorization");
}

// "http://user:password@127.0.0.1:38009/path"
std::string url_with(std::string_view login, const HttpPeer& server, std::string_view path) {
    return fmt::format("http://{}@{}{}", login, server.text(), path);
}

const std::string u_p = "Basic dTpw";              // u:p
const std::string u_secret = "Basic dTojc2VjcmV0"; // u:#secret

} // namespace

TEST_CASE("login: a password in netrc may begin with #, and never comes from the next machine") {
    Scenario scenario;
    const HttpPeer server{greet};
    scenario.write_file("netrc", "machine 127.0.0.1 login u password #secret\n"
                                 "machine B login x password y\n");
    CHECK(scenario.run({"webget", "--netrc-file", "netrc", server.url("/")}).status == 0);
    CHECK(login_of(server.requests().back()) == u_secret);
    scenario.write_file(".netrc", "machine 127.0.0.1 login u password\n"
                                  "machine B login x password y\n");
    const Variable home{"HOME", scenario.path("")};
    CHECK(scenario.run({"webget", "-n", server.url("/")}).status == 0);
    CHECK(login_of(server.requests().back()) == "Basic dTo="); // u:
}

TEST_CASE("login: netrc has the password of a URL's user") {
    Scenario scenario;
    const HttpPeer server{greet};
    scenario.write_file("netrc", "machine 127.0.0.1 login alice password wrong\n"
                                 "machine 127.0.0.1 login u password p\n");
    CHECK(scenario.run({"webget", "--netrc-file", "netrc", url_with("u", server, "/")}).status ==
          0);
    CHECK(login_of(server.requests().back()) == u_p);
    CHECK(scenario.run({"webget", "--netrc-file", "netrc", "-u", "u", server.url("/")}).status ==
          0);
    CHECK(login_of(server.requests().back()) == u_p);
    const auto result = scenario.run({"webget", "-u", "u", server.url("/")});
    CHECK(result.status == 2);
    CHECK(result.err.find("expected USER:PASSWORD") != std::string::npos);
}

TEST_CASE("login: a redirect keeps it at the same origin, and takes it to no other") {
    Scenario scenario;
    const HttpPeer other{greet};
    const HttpPeer server{[&other](const HttpRequest& request) -> HttpAnswer {
        const auto to = [](const std::string& place) {
            return answer("302 Found", fmt::format("Location: {}\r\n", place));
        };
        if (request.target() == "/path") return to("/end");
        if (request.target() == "/host") return to("//" + request.field("Host") + "/end");
        if (request.target() == "/url") return to("http://" + request.field("Host") + "/end");
        if (request.target() == "/other") return to(other.url("/end"));
        return ok("hello\n");
    }};
    for (const auto* path : {"/path", "/host", "/url"}) {
        CAPTURE(path);
        CHECK(scenario.run({"webget", "-L", url_with("u:p", server, path)}).status == 0);
        CHECK(server.requests().back().target() == "/end");
        CHECK(login_of(server.requests().back()) == u_p);
        CHECK(scenario.run({"webget", "-L", "-u", "u:p", server.url(path)}).status == 0);
        CHECK(login_of(server.requests().back()) == u_p);
    }
    CHECK(scenario.run({"webget", "-L", url_with("u:p", server, "/other")}).status == 0);
    CHECK(login_of(other.requests().back()).empty());
    CHECK(scenario
              .run({"webget", "-L", "-u", "u:p", "-b", "a=1", "--oauth2-bearer", "t",
                    server.url("/other")})
              .status == 0);
    CHECK(login_of(other.requests().back()).empty());
    CHECK(other.requests().back().field("Cookie").empty());
    CHECK(
        scenario.run({"webget", "--location-trusted", "-u", "u:p", server.url("/other")}).status ==
        0);
    CHECK(login_of(other.requests().back()) == u_p);
}

TEST_CASE("login: -u wins over the URL") {
    Scenario scenario;
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-u", "u:p", url_with("c:d", server, "/")}).status == 0);
    CHECK(login_of(server.requests().back()) == u_p);
    CHECK(scenario.run({"webget", "--oauth2-bearer", "token", server.url("/")}).status == 0);
    CHECK(login_of(server.requests().back()) == "Bearer token");
}

TEST_CASE("Digest answers a challenge, and a nonce that is too old is tried again") {
    Scenario scenario;
    const auto challenge = [](std::string_view nonce, std::string_view stale) {
        return answer("401 Unauthorized",
                      fmt::format("WWW-Authenticate: Digest realm=\"here\", qop=\"auth\", "
                                  "nonce=\"{}\"{}\r\n",
                                  nonce, stale));
    };
    const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
        const auto login = login_of(request);
        if (login.empty()) return challenge("one", "");
        if (request.target() == "/wrong") return challenge("one", "");
        if (login.find("nonce=\"one\"") != std::string::npos)
            return challenge("two", ", stale=true");
        return ok("welcome\n");
    }};
    auto result = scenario.run({"webget", "--digest", "-u", "u:p", "-d", "x", server.url("/a")});
    CHECK(result.status == 0);
    CHECK(result.out == "welcome\n");
    REQUIRE(server.requests().size() == 3);
    CHECK(login_of(server.requests()[2])
              .starts_with("Digest username=\"u\", realm=\"here\", nonce=\"two\""));
    CHECK(server.requests()[2].body == "x");
    CHECK(server.connections() == 1);
    CHECK(login_of(server.requests()[0]).empty()); // the password itself is not sent
    result = scenario.run({"webget", "--digest", "-sS", "-f", "-u", "u:p", server.url("/wrong")});
    CHECK(result.status == 22);
    CHECK(server.requests().size() == 5);
}

TEST_CASE("a login by challenge comes before a body that can be read only once") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/open") return ok("open\n");
        if (login_of(request).empty())
            return answer("401 Unauthorized",
                          "WWW-Authenticate: Digest realm=\"x\", qop=\"auth\", nonce=\"n\"\r\n");
        return ok("welcome\n");
    }};
    const auto send = [&](const Words& options, std::string_view path) {
        Words words{"webget", "-u", "u:p", "--digest"};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(server.url(path));
        return scenario.run(words, "12345").out;
    };
    CHECK(send({"-T", "-"}, "/") == "welcome\n");
    REQUIRE(server.requests().size() == 2);
    CHECK(server.requests()[0].body.empty());
    CHECK(server.requests()[1].content() == "12345");
    CHECK(send({"-F", "a=@-"}, "/") == "welcome\n");
    CHECK(server.requests()[3].content().find("12345") != std::string::npos);
    CHECK(send({"-T", "-"}, "/open") == "open\n");
    REQUIRE(server.requests().size() == 6);
    CHECK(server.requests()[4].body.empty());
    CHECK(server.requests()[5].content() == "12345");
}

TEST_CASE("--anyauth takes Basic when the server offers nothing better") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (login_of(request).empty())
            return answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n");
        return ok("hello\n");
    }};
    CHECK(scenario.run({"webget", "--anyauth", "-u", "u:p", server.url("/")}).out == "hello\n");
    CHECK(login_of(server.requests().back()) == u_p);
    CHECK(scenario.run({"webget", "--digest", "-s", "-u", "u:p", server.url("/")}).status == 22);
}

TEST_CASE("cookies of saved heads go to the host that the user names") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        return ok(request.field("Cookie") + "\n", "Set-Cookie: a=b\r\n");
    }};
    const auto port = server.port();
    CHECK(scenario.run({"webget", "-D", "heads", server.url("/")}).out == "\n");
    for (const char* const name : {"heads", "@heads"})
        CHECK(scenario
                  .run({"webget", "-b", name, "--connect-to", "other:80:127.0.0.1:" + port,
                        server.url("/"), "http://other/"})
                  .out == "a=b\n\n");
}

TEST_CASE("cookies are sent from a text, from a file, and from one document to the next") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/set")
            return answer("302 Found", "Location: /end\r\nSet-Cookie: a=1; Path=/\r\n"
                                       "Set-Cookie: b=2; Path=/other\r\n"
                                       "Set-Cookie: c=3; Domain=example.org\r\n");
        return ok("hello\n");
    }};
    const auto told = [&server] { return server.requests().back().field("Cookie"); };
    CHECK(scenario.run({"webget", "-b", "x=1; y=2", "-b", "z=3", server.url("/")}).status == 0);
    CHECK(told() == "x=1; y=2; z=3");
    CHECK(scenario.run({"webget", "-L", server.url("/set")}).status == 0);
    CHECK(told().empty()); // nobody asked for cookies
    CHECK(scenario.run({"webget", "-L", "-b", "", server.url("/set")}).status == 0);
    CHECK(told() == "a=1");
    CHECK(scenario.run({"webget", "-L", "-c", "jar", "-b", "x=1", server.url("/set")}).status == 0);
    CHECK(told() == "a=1; x=1");
    const auto jar = scenario.read_file("jar");
    CHECK(jar.starts_with("# Netscape HTTP Cookie File\n"));
    CHECK(jar.find("127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\n") != std::string::npos);
    CHECK(jar.find("example.org") == std::string::npos);
    CHECK(scenario.shell("stat -c %a jar").out == "600\n");
    CHECK(scenario.run({"webget", "-b", "jar", server.url("/other/x")}).status == 0);
    CHECK(told() == "b=2; a=1");
    CHECK(scenario.run({"webget", "-j", "-b", "jar", server.url("/")}).status == 0);
    CHECK(told().empty());
    CHECK(scenario.run({"webget", "-b", "absent", server.url("/")}).status == 0);
    CHECK(scenario.run({"webget", "-c", "-", "-o", "/dev/null", "-b", "jar", server.url("/")})
              .out.find("\ta\t1\n") != std::string::npos);
    CHECK(scenario.run({"webget", "-b", "", server.url("/set"), server.url("/"), "-s"}).status ==
          22);
    CHECK(told() == "a=1");
    for (const char* const name : {"/dev/stdout", "/dev/fd/1", "-"}) {
        const auto run = scenario.shell("{ echo a; webget -c $2 -o /dev/null -b jar $1; echo b; } "
                                        ">out",
                                        {server.url("/"), name});
        CHECK(run.status == 0);
        const auto out = scenario.read_file("out");
        CHECK(out.starts_with("a\n# Netscape"));
        CHECK(out.find("\ta\t1\n") != std::string::npos);
        CHECK(out.ends_with("\nb\n"));
    }
}
