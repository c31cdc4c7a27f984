// The requests, and what webget shows of the answers.
#include "core/io.h"
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

HttpAnswer greet(const HttpRequest& /*request*/) {
    return ok("hello\n");
}

// "alpha" at /alpha, and so on.
HttpAnswer name_it(const HttpRequest& request) {
    return ok(request.target().substr(1) + "\n");
}

HttpPeer::Answers always(const std::string& bytes, Then then = Then::keep) {
    return [bytes, then](const HttpRequest&) -> HttpAnswer { return {bytes, then}; };
}

// The only request that webget sends with these options.
HttpRequest request_of(Scenario& scenario, const Words& options) {
    const HttpPeer server{greet};
    Words words{"webget"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.url("/document"));
    const auto result = scenario.run(words);
    CHECK(result.err.empty());
    REQUIRE(server.requests().size() == 1);
    return server.requests().front();
}

std::string usage_error(Scenario& scenario, const Words& options) {
    Words words{"webget"};
    words.insert(words.end(), options.begin(), options.end());
    const auto result = scenario.run(words);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    return result.err;
}

std::string basic(std::string_view encoded) {
    return "Basic " + std::string{encoded};
}

} // namespace

TEST_CASE("a host and its documents come with heads and bodies, over one connection") {
    Scenario scenario;
    const HttpPeer server{name_it};
    const auto result =
        scenario.run({"webget", "-p", server.port(), "127.0.0.1", "/alpha", "/beta"});
    CHECK(result.status == 0);
    CHECK(result.out == ok("alpha\n") + ok("beta\n"));
    CHECK(result.err.empty());
    CHECK(server.connections() == 1);
    REQUIRE(server.requests().size() == 2);
    CHECK(server.requests()[0].head == fmt::format("GET /alpha HTTP/1.1\r\n"
                                                   "Host: {}\r\n"
                                                   "User-Agent: ipcbox-webget/1.0.0\r\n"
                                                   "Accept: */*\r\n"
                                                   "\r\n",
                                                   server.text()));
    CHECK(server.targets() == "/alpha /beta");
}

TEST_CASE("a host can be named in many ways") {
    Scenario scenario;
    const HttpPeer server{name_it};
    const auto port = server.port();
    for (const Words& words :
         {Words{"127.0.0.1:" + port, "/a"}, Words{"127.0.0.1:" + port, "a"},
          Words{"localhost:" + port, "/a"}, Words{"-p" + port, "localhost", "a"},
          Words{"--port=" + port, "-4", "localhost", "a"}, Words{"http://127.0.0.1:" + port + "/a"},
          Words{"HTTP://LOCALHOST:" + port + "/a#fragment"}}) {
        Words all{"webget"};
        all.insert(all.end(), words.begin(), words.end());
        CAPTURE(words.front());
        const auto result = scenario.run(all);
        CHECK(result.status == 0);
        CHECK(result.out == (words.size() > 1 ? ok("a\n") : "a\n"));
        CHECK(server.requests().back().target() == "/a");
    }
}

TEST_CASE("servers are reached over IPv6 and over Unix sockets") {
    Scenario scenario;
    SUBCASE("IPv6") {
        const HttpPeer server{*net::Address::parse_ip("::1", 0), greet};
        const auto place = "[::1]:" + server.port();
        CHECK(scenario.run({"webget", place, "/"}).out == ok("hello\n"));
        CHECK(scenario.run({"webget", "-p", server.port(), "::1", "/"}).out == ok("hello\n"));
        CHECK(scenario.run({"webget", "http://" + place}).out == "hello\n");
        for (const auto& request : server.requests())
            CHECK(request.field("Host") == place);
    }
    SUBCASE("a Unix socket") {
        const HttpPeer server{net::Address::unix_path(scenario.path("socket")), greet};
        const auto path = scenario.path("socket");
        CHECK(scenario.run({"webget", "unix:" + path, "/a", "/b"}).out ==
              ok("hello\n") + ok("hello\n"));
        CHECK(scenario.run({"webget", "--unix-socket", path, "http://example.org/c"}).out ==
              "hello\n");
        CHECK(server.connections() == 2);
        CHECK(server.requests().front().field("Host") == "localhost");
        CHECK(server.requests().back().field("Host") == "example.org");
    }
}

TEST_CASE("HTTP/1.0 takes a connection for each document") {
    Scenario scenario;
    const HttpPeer server{
        always("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold\n", Then::close)};
    const auto result = scenario.run({"webget", "-0", server.text(), "/a", "/b"});
    CHECK(result.status == 0);
    CHECK(result.out == "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold\n"
                        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold\n");
    CHECK(server.connections() == 2);
    CHECK(server.requests().front().first_line() == "GET /a HTTP/1.0");
    CHECK(server.requests().front().field("Host") == server.text());
}

TEST_CASE("URLs give only the bodies") {
    Scenario scenario;
    const HttpPeer server{name_it};
    const HttpPeer other{name_it};
    const auto result =
        scenario.run({"webget", server.url("/a"), other.url("/b"), server.url("/c")});
    CHECK(result.status == 0);
    CHECK(result.out == "a\nb\nc\n");
    CHECK(server.connections() == 1);
    CHECK(server.targets() == "/a /c");
}

TEST_CASE("the method is the user's, and -I asks for heads") {
    Scenario scenario;
    CHECK(request_of(scenario, {"-X", "DELETE"}).first_line() == "DELETE /document HTTP/1.1");
    CHECK(request_of(scenario, {"-X", "OPTIONS"}).method() == "OPTIONS");
    const HttpPeer server{always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")};
    const auto result = scenario.run({"webget", "-I", server.url("/a"), server.url("/b")});
    CHECK(result.status == 0);
    CHECK(result.out == "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    CHECK(server.requests().front().method() == "HEAD");
    CHECK(server.connections() == 1);
    CHECK(usage_error(scenario, {"-X", "G ET", server.url("/")})
              .find("expected a method such as GET") != std::string::npos);
}

TEST_CASE("-i shows heads before bodies") {
    Scenario scenario;
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-i", server.url("/")}).out == ok("hello\n"));
}

TEST_CASE("-d posts data") {
    Scenario scenario;
    scenario.write_file("data", "first\r\nsecond\n");
    const auto form = std::string{"application/x-www-form-urlencoded"};
    auto request = request_of(scenario, {"-d", "a=1", "--data", "b=2"});
    CHECK(request.first_line() == "POST /document HTTP/1.1");
    CHECK(request.field("Content-Type") == form);
    CHECK(request.field("Content-Length") == "7");
    CHECK(request.body == "a=1&b=2");
    CHECK(request_of(scenario, {"-d", "@data"}).body == "firstsecond");
    CHECK(request_of(scenario, {"--data-binary", "@data"}).body == "first\r\nsecond\n");
    CHECK(request_of(scenario, {"-X", "PUT", "-d", ""}).first_line() == "PUT /document HTTP/1.1");
    request = request_of(scenario, {"-H", "Content-Type: text/plain", "-d", "x"});
    CHECK(request.field("content-type") == "text/plain");
    CHECK(request.head.find(form) == std::string::npos);
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-d", "@-", server.url("/")}, "from input").status == 0);
    CHECK(server.requests().front().body == "from input");
    const auto absent = scenario.run({"webget", "-d", "@absent", server.url("/")});
    CHECK(absent.status == 26);
    CHECK(absent.err == "webget: cannot open absent: No such file or directory\n");
}

TEST_CASE("-T uploads files") {
    Scenario scenario;
    const auto text = numbered_text(100'000);
    scenario.write_file("file", text);
    auto request = request_of(scenario, {"-T", "file"});
    CHECK(request.first_line() == "PUT /document HTTP/1.1");
    CHECK(request.field("Content-Length") == "100000");
    CHECK(request.body == text);
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-T", "-", server.url("/")}, "in chunks").status == 0);
    CHECK(server.requests().front().field("Transfer-Encoding") == "chunked");
    CHECK(server.requests().front().field("Content-Length").empty());
    CHECK(server.requests().front().content() == "in chunks");
    CHECK(scenario.run({"webget", "-T", "file", server.url("/dir/")}).status == 0);
    CHECK(scenario.run({"webget", "-T", "file", server.url("/dir/?key=a/")}).status == 0);
    CHECK(server.targets() == "/ /dir/file /dir/file?key=a/");
    const auto absent = scenario.run({"webget", "-T", "absent", server.url("/")});
    CHECK(absent.status == 26);
    CHECK(absent.err == fmt::format("webget: {}: cannot open absent: No such file or directory\n",
                                    server.url("/absent")));
    CHECK(usage_error(scenario, {"-0", "-T", "-", server.url("/")}) ==
          "webget: HTTP/1.0 cannot send data of unknown length (-T -) (see webget --help)\n");
}

TEST_CASE("the user's fields are sent, and replace ours") {
    Scenario scenario;
    auto request = request_of(scenario, {"-H", "X-One: 1", "-H", "Accept:", "-H", "X-Empty;", "-A",
                                         "me", "-e", "http://from.example/"});
    CHECK(request.field("X-One") == "1");
    CHECK(request.head.find("X-Empty:\r\n") != std::string::npos);
    CHECK(request.head.find("Accept") == std::string::npos);
    CHECK(request.field("User-Agent") == "me");
    CHECK(request.field("Referer") == "http://from.example/");
    request = request_of(scenario, {"-H", "host: other.example", "-A", ""});
    CHECK(request.field("Host") == "other.example");
    CHECK(request.head.find("127.0.0.1") == std::string::npos);
    CHECK(request.head.find("User-Agent") == std::string::npos);
}

TEST_CASE("nothing smuggles a line into a request") {
    Scenario scenario;
    const HttpPeer server{greet};
    const auto url = server.url("/");
    for (const Words& words :
         {Words{"-H", "X: 1\r\nY: 2", url}, Words{"-H", "X: 1\nY: 2", url},
          Words{"-H", "X Y: 1", url}, Words{"-H", "nothing", url}, Words{"-A", "me\r\nX: 1", url},
          Words{"-e", "http://a/\r\nX: 1", url}, Words{"-u", "me:secret\n", url}}) {
        CAPTURE(words[1]);
        CHECK(usage_error(scenario, words).find("expected") != std::string::npos);
    }
    const auto result = scenario.run({"webget", url + "a\r\nX: 1"});
    CHECK(result.status == 3);
    CHECK(result.err.find("cannot fetch") != std::string::npos);
    CHECK(server.connections() == 0);
}

TEST_CASE("a login is sent from -u and from the URL") {
    Scenario scenario;
    CHECK(request_of(scenario, {"-u", "user:secret"}).field("Authorization") ==
          basic("dXNlcjpzZWNyZXQ="));
    CHECK(request_of(scenario, {}).field("Authorization").empty());
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "http://user:secret@" + server.text() + "/"}).status == 0);
    CHECK(server.requests().back().field("Authorization") == basic("dXNlcjpzZWNyZXQ="));

    scenario.write_file(".netrc", "machine 127.0.0.1 login user password secret\n");
    CHECK(request_of(scenario, {"--netrc-file", ".netrc"}).field("Authorization") ==
          basic("dXNlcjpzZWNyZXQ="));
    const Variable home{"HOME", scenario.path("")};
    CHECK(request_of(scenario, {"-n"}).field("Authorization") == basic("dXNlcjpzZWNyZXQ="));
    CHECK(request_of(scenario, {"-n", "-u", "me:"}).field("Authorization") == basic("bWU6"));
}

TEST_CASE("-z and -r ask for newer documents and for parts") {
    Scenario scenario;
    CHECK(request_of(scenario, {"-z", "2026-01-31"}).field("If-Modified-Since") ==
          "Sat, 31 Jan 2026 00:00:00 GMT");
    scenario.write_file("old", "kept");
    const HttpPeer server{always("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")};
    const auto result = scenario.run({"webget", "-z", "old", "-o", "old", server.url("/")});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(scenario.read_file("old") == "kept");
    CHECK_FALSE(scenario.exists(part_of("old")));
    CHECK_FALSE(server.requests().front().field("If-Modified-Since").empty());
    // A dash in front means "not newer", and is no part of the date.
    for (const auto* older : {"-2026-01-31", "-31 Jan 2026"}) {
        const auto request = request_of(scenario, {"-z", older});
        CHECK(request.field("If-Unmodified-Since") == "Sat, 31 Jan 2026 00:00:00 GMT");
        CHECK(request.field("If-Modified-Since").empty());
    }
    CHECK_FALSE(request_of(scenario, {"-z", "-old"}).field("If-Unmodified-Since").empty());
    const HttpPeer partial{always("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
                                  "1-2/9\r\nContent-Length: 2\r\n\r\nel")};
    CHECK(scenario.run({"webget", "-r", "1-2", partial.url("/")}).out == "el");
    CHECK(partial.requests().front().field("Range") == "bytes=1-2");
    CHECK(usage_error(scenario, {"-r", "x", "http://a/"}).find("expected bytes such as 0-499") !=
          std::string::npos);
}

TEST_CASE("requests go through a proxy") {
    Scenario scenario;
    const HttpPeer proxy{greet};
    const auto url = std::string{"http://host.invalid/path"};
    SUBCASE("by option") {
        CHECK(scenario.run({"webget", "-x", "me:pw@" + proxy.text(), url, "http://other.invalid/"})
                  .out == "hello\nhello\n");
        CHECK(proxy.connections() == 1); // a connection to a proxy can be used for every server
        CHECK(proxy.requests().front().first_line() == "GET http://host.invalid/path HTTP/1.1");
        CHECK(proxy.requests().front().field("Host") == "host.invalid");
        CHECK(proxy.requests().front().field("Proxy-Authorization") == basic("bWU6cHc="));
    }
    SUBCASE("from the environment") {
        const Variable variable{"http_proxy", "http://" + proxy.text()};
        CHECK(scenario.run({"webget", url}).out == "hello\n");
        const HttpPeer server{greet};
        CHECK(scenario.run({"webget", "--noproxy", "127.0.0.1", server.url("/")}).status == 0);
        const Variable exceptions{"no_proxy", "127.0.0.1"};
        CHECK(scenario.run({"webget", server.url("/")}).status == 0);
        CHECK(server.requests().size() == 2);
        CHECK(proxy.requests().size() == 1);
    }
    SUBCASE("a tunnel is refused") {
        const HttpPeer stubborn{always(answer("403 Forbidden"))};
        const auto result =
            scenario.run({"webget", "-x", stubborn.text(), "https://host.invalid/"});
        CHECK(result.status == 56);
        CHECK(result.err == fmt::format("webget: https://host.invalid/: the proxy {} refuses a "
                                        "tunnel: 403 Forbidden\n",
                                        stubborn.text()));
        CHECK(stubborn.requests().front().first_line() == "CONNECT host.invalid:443 HTTP/1.1");
        CHECK(stubborn.requests().front().field("Host") == "host.invalid:443");
    }
    SUBCASE("a proxy that is unknown") {
        const auto result = scenario.run({"webget", "-x", "proxy.invalid:3128", url});
        CHECK(result.status == 5);
        CHECK(result.err.starts_with("webget: " + url + ": cannot resolve proxy.invalid"));
    }
    SUBCASE("a proxy of another kind") {
        CHECK(usage_error(scenario, {"-x", "https://host:1080", url}).find("--proxy") !=
              std::string::npos);
    }
}

TEST_CASE("--resolve and --connect-to lead to other places for a host") {
    Scenario scenario;
    const HttpPeer server{greet};
    const auto port = server.port();
    const auto url = "http://example.org:" + port + "/";
    for (const Words& words : {Words{"--resolve", "example.org:" + port + ":127.0.0.1"},
                               Words{"--resolve", "*:" + port + ":127.0.0.1"},
                               Words{"--connect-to", "example.org:" + port + ":127.0.0.1:" + port},
                               Words{"--connect-to", "::127.0.0.1:"}}) {
        CAPTURE(words[1]);
        CHECK(scenario.run({"webget", words[0], words[1], url}).out == "hello\n");
        CHECK(server.requests().back().field("Host") == "example.org:" + port);
    }
    CHECK(usage_error(scenario, {"--resolve", "example.org", url}).find("expected HOST:PORT") !=
          std::string::npos);
    CHECK(usage_error(scenario, {"--connect-to", "a:b", url}).find("expected HOST1:PORT1") !=
          std::string::npos);
}

TEST_CASE("--dry-run prints the exact request") {
    Scenario scenario;
    const HttpPeer server{greet};
    const Words options{"-d", "a=1", "-u", "me:pw", "-H", "X: y"};
    const auto request = request_of(scenario, options);
    Words words{"webget", "--dry-run"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.url("/document"));
    auto text = scenario.run(words).out;
    const auto host = "Host: " + request.field("Host") + "\r\n";
    auto expected = request.head + request.body;
    expected.replace(expected.find(host), host.size(), "Host: " + server.text() + "\r\n");
    CHECK(text == expected);
    CHECK(server.connections() == 0);
}

TEST_CASE("--write-out prints its variables") {
    Scenario scenario;
    const HttpPeer server{always(ok("hello\n", "Content-Type: text/plain\r\nX-Some: thing\r\n"))};
    const auto url = server.url("/a");
    const auto result = scenario.run(
        {"webget", "-o", "f", "-w",
         R"(%{http_code} %{size_download} %{content_type} %header{x-some} %{num_redirects} 100%%\n)",
         url});
    CHECK(result.out == "200 6 text/plain thing 0 100%\n");
    CHECK(scenario.run({"webget", "-w", "%{url_effective}|%{exitcode}|%{scheme}\\t", url}).out ==
          "hello\n" + url + "|0|http\t");
    CHECK(usage_error(scenario, {"-w", "%{nonsense}", url}) ==
          "webget: --write-out: there is no %{nonsense} (see webget --help)\n");
    CHECK(server.requests().size() == 2);
}

TEST_CASE("-J prints an object for each document") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/absent") return answer("404 Not Found");
        if (request.target() == "/moved")
            return answer("302 Found", "Location: /document\r\n", "elsewhere");
        return ok("hello\n", "X-Two: one\r\nx-two: two\r\nX-Odd: \xff\r\n");
    }};
    const RefusedPort closed;
    const auto nobody = fmt::format("http://127.0.0.1:{}/", closed.number());
    const auto result = scenario.run({"webget", "-JL", "-o", "-", "-o", "-", "-o", "-", "-o",
                                      "file", server.url("/document"), server.url("/absent"),
                                      nobody, server.url("/moved")});
    CHECK(result.status == 22);
    std::vector<nlohmann::json> lines;
    for (std::string_view rest = result.out; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        lines.push_back(nlohmann::json::parse(line));
        rest.remove_prefix(line.size() + 1);
    }
    REQUIRE(lines.size() == 4);
    CHECK(lines[0]["v"] == 1);
    CHECK(lines[0]["url"] == server.url("/document"));
    CHECK(lines[0]["status"] == 200);
    CHECK(lines[0]["reason"] == "OK");
    CHECK(lines[0]["http_version"] == "1.1");
    CHECK(lines[0]["headers"]["x-two"] == nlohmann::json::array({"one", "two"}));
    CHECK(lines[0]["exit_status"] == 0);
    CHECK(lines[0]["error"].is_null());
    CHECK(lines[0]["file"].is_null());
    CHECK(lines[0]["bytes"] == 6);
    CHECK(lines[0]["sha256"] == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    for (const char* const time : {"dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms"})
        CHECK(lines[0][time].is_number());
    CHECK(lines[1]["status"] == 404);
    CHECK(lines[1]["exit_status"] == 22);
    CHECK(lines[1]["error"] == "404 Not Found");
    CHECK(lines[2]["status"].is_null());
    CHECK(lines[2]["exit_status"] == 7);
    CHECK(lines[2]["sha256"].is_null());
    CHECK(lines[3]["redirects"] == 1);
    CHECK(lines[3]["effective_url"] == server.url("/document"));
    CHECK(lines[3]["file"] == "file");
    CHECK(scenario.read_file("file") == "hello\n");
}

TEST_CASE("the status is the worst of several, and -v prints a table") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/absent") return answer("404 Not Found");
        return ok("hello\n");
    }};
    auto result =
        scenario.run({"webget", server.url("/a"), server.url("/absent"), server.url("/b")});
    CHECK(result.status == 22);
    CHECK(result.out == "hello\nhello\n");
    CHECK(result.err == fmt::format("webget: {}: 404 Not Found\n"
                                    "webget: fetched 2 of 3 documents, 1 failed\n",
                                    server.url("/absent")));
    result = scenario.run({"webget", "-v", server.url("/a"), server.url("/b")});
    CHECK(result.err.find(server.url("/a") + ": 200, 6 bytes in ") != std::string::npos);
    CHECK(result.err.ends_with("webget: fetched 2 of 2 documents, 0 failed\n"));
    result = scenario.run({"webget", "-v", server.url("/a")});
    CHECK(result.err.starts_with("webget: " + server.url("/a") + ": 200, 6 bytes in "));
    CHECK(std::ranges::count(result.err, '\n') == 1);
    CHECK(scenario.run({"webget", "-s", server.url("/absent")}).err.empty());
    CHECK(scenario.run({"webget", "-sS", server.url("/absent")}).err ==
          fmt::format("webget: {}: 404 Not Found\n", server.url("/absent")));
}

TEST_CASE("the body of an error goes to its own place") {
    Scenario scenario;
    const HttpPeer server{always(answer("404 Not Found", "", "no such thing\n"))};
    const auto url = server.url("/a");
    const auto error = fmt::format("webget: {}: 404 Not Found\n", url);
    auto result = scenario.run({"webget", url});
    CHECK(result.status == 22);
    CHECK(result.out.empty());
    CHECK(result.err == "no such thing\n" + error);
    result = scenario.run({"webget", "-f", url});
    CHECK(result.status == 22);
    CHECK(result.out.empty());
    CHECK(result.err == error);
    result = scenario.run({"webget", "--fail-with-body", url});
    CHECK(result.status == 22);
    CHECK(result.out == "no such thing\n");
    CHECK(result.err == error);
    result = scenario.run({"webget", server.text(), "/a"});
    CHECK(result.status == 22);
    CHECK(result.out == answer("404 Not Found", "", "no such thing\n"));
    CHECK(server.connections() == 4);
}

TEST_CASE("--urls reads lists of URLs") {
    Scenario scenario;
    const HttpPeer server{name_it};
    const auto list = fmt::format("# comment\n\n  {}  \r\n{}\n#{}\n{}", server.url("/a"),
                                  server.url("/b"), server.url("/x"), server.url("/c"));
    scenario.write_file("list", list);
    CHECK(scenario.run({"webget", "--urls", "list"}).out == "a\nb\nc\n");
    CHECK(scenario.run({"webget", "--urls", "-", server.url("/d")}, list).out == "a\nb\nc\nd\n");
    CHECK(scenario.run({"webget", "-O", "--urls", "list"}).out.empty());
    CHECK(scenario.read_file("b") == "b\n");
    // Editors on Windows write a byte order mark.
    CHECK(scenario.run({"webget", "--urls", "-"}, "\xef\xbb\xbf" + server.url("/a") + "\r\n").out ==
          "a\n");
    CHECK(scenario.run({"webget", "--urls", "-"}, "# nothing\n").status == 0);
    auto result = scenario.run({"webget", "--urls", "-"}, "ftp://host/a\n");
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("webget: cannot fetch ftp://host/a: expected "));
    result = scenario.run({"webget", "--urls", "absent"});
    CHECK(result.status == 1);
    CHECK(result.err == "webget: cannot open absent: No such file or directory\n");
}

TEST_CASE("an invalid command line is a usage error") {
    Scenario scenario;
    CHECK(usage_error(scenario, {}) ==
          "webget: expected a URL, or a HOST and a DOCUMENT (see webget --help)\n");
    CHECK(usage_error(scenario, {"-p", "80", "localhost"}) ==
          "webget: the document of localhost is missing: expected HOST DOCUMENT..., or URLs "
          "(see webget --help)\n");
    CHECK(usage_error(scenario, {"unix:/socket"}) ==
          "webget: the document of unix:/socket is missing: expected HOST DOCUMENT..., or URLs "
          "(see webget --help)\n");
    CHECK(usage_error(scenario, {"localhost", "http://a/"}) ==
          "webget: http://a/ is a URL, and localhost is not (see webget --help)\n");
    CHECK(usage_error(scenario, {"-p", "80", "http://a/"}) ==
          "webget: --port needs a HOST: a URL contains its port (see webget --help)\n");
    CHECK(usage_error(scenario, {"-o", "f", "http://a/", "http://b/"}) ==
          "webget: 2 documents need the same number of -o, but there are 1 (see webget --help)\n");
    CHECK(usage_error(scenario, {"-o", "f", "-o", "f", "http://a/", "http://b/"}) ==
          "webget: two documents have the same output file f (see webget --help)\n");
    CHECK(usage_error(scenario, {"-C", "-", "http://a/"}) ==
          "webget: -C - needs -o or -O (see webget --help)\n");
    CHECK(usage_error(scenario, {"-C", "x", "-O", "http://a/b"}).find("expected a number") !=
          std::string::npos);
    for (const char* const url :
         {"http://", "http://:80/", "http://host:99999/", "http://ho st/", "http://[::1/"}) {
        CAPTURE(url);
        const auto result = scenario.run({"webget", url});
        CHECK(result.status == 3);
        CHECK(result.err.starts_with(fmt::format("webget: cannot fetch {}: expected ", url)));
    }
}

TEST_CASE("a document cannot control the terminal") {
    Scenario scenario;
    // The body comes in pieces that split a letter. (A head must not contain such bytes.)
    const HttpPeer server{always("HTTP/1.1 200 OK\r\nX: \xff\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "6\r\n\x1b[31m\xc3\r\n3\r\n\xa4\n\x07\r\n0\r\n\r\n")};
    const Fd terminal = Fd::adopt(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(::grantpt(terminal.get()) == 0);
    REQUIRE(::unlockpt(terminal.get()) == 0);
    const std::string name = ::ptsname(terminal.get());
    const Fd other_end = open_file(name, O_RDWR | O_NOCTTY); // or it hangs up each time
    const auto shown = [&](const char* options) {
        const auto result =
            scenario.shell(fmt::format("webget {} $1 >$2", options), {server.url("/"), name});
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        std::string text;
        while (!text.ends_with("^G") && !text.ends_with('\a')) {
            std::array<std::byte, 4096> some{};
            const auto got = read_some(terminal.get(), some, "a terminal",
                                       Deadline::after(std::chrono::seconds{30}));
            text.append(reinterpret_cast<const char*>(some.data()), got);
        }
        return text;
    };
    // The terminal itself turns \n into \r\n.
    CHECK(shown("") == "^[[31m\xc3\xa4\r\n^G");
    CHECK(shown("-i").find("X: \\xff") != std::string::npos);
    CHECK(shown("--raw") == "\x1b[31m\xc3\xa4\r\n\x07");
    CHECK(scenario.run({"webget", server.url("/")}).out == "\x1b[31m\xc3\xa4\n\x07");
}
