// Ranges and versions. A document is whole when all of its bytes are here, from one version,
// whatever the length of the answer says.
#include "download/part_name.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view etag = "ETag: \"v1\"\r\n";
const std::string part = download::part_names("f", download::tail_for("f")).part;
const std::string state = download::part_names("f", download::tail_for("f")).state;

const std::string& document() {
    static const std::string text = numbered_text(2048);
    return text;
}

// Leaves the first SIZE bytes of the document in a part file, as a broken transfer does.
void begin(const Scenario& scenario, const std::string& url, std::size_t size,
           const std::string& text = document(), const std::string& known_size = "2048") {
    scenario.write_file(part, text.substr(0, size));
    scenario.write_file(state,
                        fmt::format("{}\netag \"v1\"\nlast-modified \nsize {}\n", url, known_size));
}

std::size_t first_of(const HttpRequest& request) {
    const auto range = request.field("Range");
    return range.empty() ? 0 : std::stoul(range.substr(range.find('=') + 1));
}

// At most LIMIT bytes from the place that the request asks for.
std::string slice(const HttpRequest& request, std::size_t limit, std::string_view fields = etag,
                  const std::string& text = document()) {
    const auto first = first_of(request);
    const auto bytes = text.substr(first, limit);
    return answer("206 Partial Content",
                  fmt::format("{}Content-Range: bytes {}-{}/{}\r\n", fields, first,
                              first + bytes.size() - 1, text.size()),
                  bytes);
}

// MESSAGE in one chunk, without a Content-Length.
std::string in_one_chunk(std::string message) {
    const auto length = message.find("Content-Length: ");
    const auto end = message.find("\r\n\r\n") + 4;
    const auto body = message.substr(end);
    auto head = message.substr(0, end);
    head.erase(length, head.find("\r\n", length) + 2 - length);
    head.insert(head.size() - 2, "Transfer-Encoding: chunked\r\n");
    return fmt::format("{}{:x}\r\n{}\r\n0\r\n\r\n", head, body.size(), body);
}
std::string until_close(std::string message) {
    const auto length = message.find("Content-Length: ");
    message.erase(length, message.find("\r\n", length) + 2 - length);
    return message;
}

} // namespace

TEST_CASE("a part that ends before the document does is asked for again") {
    Scenario scenario;
    const Words words{"webget", "-C", "-", "-o", "f"};
    const auto run = [&](const HttpPeer& server) {
        auto all = words;
        all.push_back(server.url("/f"));
        return scenario.run(all);
    };
    SUBCASE("with a length") {
        const HttpPeer server{
            [](const HttpRequest& request) -> HttpAnswer { return slice(request, 500); }};
        begin(scenario, server.url("/f"), 1000);
        CHECK(run(server).status == 0);
        CHECK(server.requests().size() == 3);
    }
    SUBCASE("in chunks") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            return in_one_chunk(slice(request, 500));
        }};
        begin(scenario, server.url("/f"), 1000);
        CHECK(run(server).status == 0);
    }
    SUBCASE("until the connection is closed") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            return {until_close(slice(request, 500)), Then::close};
        }};
        begin(scenario, server.url("/f"), 1000);
        CHECK(run(server).status == 0);
    }
    SUBCASE("of a file that another tool left") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            return slice(request, 500, "Last-Modified: Sat, 31 Jan 2026 00:00:00 GMT\r\n");
        }};
        scenario.write_file("f", document().substr(0, 1000));
        CHECK(run(server).status == 0);
    }
    SUBCASE("that webget did not ask for") {
        const HttpPeer server{
            [](const HttpRequest& request) -> HttpAnswer { return slice(request, 1500); }};
        CHECK(run(server).status == 0);
        CHECK(server.requests().size() == 2);
    }
    CHECK(scenario.read_file("f") == document());
    CHECK_FALSE(scenario.exists(part));
    CHECK_FALSE(scenario.exists(state));
}

TEST_CASE("a server that never gives the rest does not make a document") {
    Scenario scenario;
    const auto failing = [&](const HttpPeer::Answers& answers) {
        const HttpPeer server{answers};
        begin(scenario, server.url("/f"), 1000);
        scenario.write_file("f", "old");
        const auto result = scenario.run({"webget", "-C", "-", "-o", "f", server.url("/f")});
        CHECK(result.status == 18);
        CHECK(scenario.read_file("f") == "old");
        CHECK(scenario.exists(part));
        CHECK(server.requests().size() < 10);
    };
    failing([](const HttpRequest& request) -> HttpAnswer {
        if (first_of(request) == 1000) return slice(request, 500);
        return answer("206 Partial Content",
                      fmt::format("{}Content-Range: bytes 1500-2047/2048\r\n", etag));
    });
}

TEST_CASE("a part that the user asked for is all of that part") {
    Scenario scenario;
    const auto run = [&](const std::string& range, const std::string& bytes) {
        const HttpPeer server{[&](const HttpRequest&) -> HttpAnswer {
            return {bytes, Then::close};
        }};
        return scenario.run({"webget", "-sS", "-r", range, server.url("/f")});
    };
    const auto partial = [](const char* range, std::string_view body) {
        return answer("206 Partial Content", fmt::format("Content-Range: bytes {}\r\n", range),
                      body);
    };
    CHECK(run("0-4", partial("0-4/9", "hello")).status == 0);
    CHECK(run("0-99", partial("0-4/5", "hello")).status == 0);
    CHECK(run("-5", partial("4-8/9", "hello")).status == 0);
    CHECK(run("0-99", partial("0-4/200", "hello")).status == 33);
    CHECK(run("5-9", partial("0-4/200", "hello")).status == 33);
    CHECK(run("0-4", until_close(partial("0-4/9", "hel"))).status != 0);
    const auto whole = run("0-4", ok("hello, world"));
    CHECK(whole.status == 0);
    CHECK(whole.out == "hello, world");
    CHECK(whole.err.find("the server sends the whole document, not only the bytes 0-4\n") !=
          std::string::npos);
}

TEST_CASE("the head of a part has no body that could be missing") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        CHECK(request.method() == "HEAD");
        return {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 400-499/500\r\n"
                "Content-Length: 100\r\n\r\n"};
    }};
    for (const Words& options : {Words{"-r", "400-499"}, Words{"-C", "400"}}) {
        Words words{"webget", "-I", server.url("/")};
        words.insert(words.end(), options.begin(), options.end());
        const auto result = scenario.run(words);
        CHECK(result.status == 0);
        CHECK(result.err.empty());
    }
}

TEST_CASE("a Range field of the user's own is their business") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
        return answer("206 Partial Content", "Content-Range: bytes 4-8/9\r\n", "hello");
    }};
    CHECK(scenario.run({"webget", "-H", "Range: bytes=4-8", server.url("/")}).out == "hello");
}

TEST_CASE("a condition that the server ignored does not put two versions together") {
    Scenario scenario;
    const auto other = std::string(2048, 'x');
    const auto goes_on = [&](std::string_view fields) {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.field("Range").empty()) return ok(other, fields);
            return slice(request, 5000, fields, other);
        }};
        begin(scenario, server.url("/f"), 1000);
        const auto result = scenario.run({"webget", "-C", "-", "-o", "f", server.url("/f")});
        CHECK(result.status == 0);
        CHECK(scenario.read_file("f") == other);
        CHECK(server.requests().size() == 2);
    };
    goes_on("ETag: \"v2\"\r\n");
    goes_on("ETag: W/\"v1\"\r\n");
    SUBCASE("another size") {
        const auto longer = std::string(3000, 'y');
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.field("Range").empty()) return ok(longer, etag);
            return slice(request, 5000, etag, longer);
        }};
        begin(scenario, server.url("/f"), 1000);
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/f")}).status == 0);
        CHECK(scenario.read_file("f") == longer);
    }
    SUBCASE("a newer date than that of another tool's file") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            constexpr auto date = "Last-Modified: Sat, 31 Jan 2099 00:00:00 GMT\r\n";
            if (request.field("Range").empty()) return ok(other, date);
            return slice(request, 5000, date, other);
        }};
        scenario.write_file("f", document().substr(0, 1000));
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/f")}).status == 0);
        CHECK(scenario.read_file("f") == other);
    }
    SUBCASE("within one run") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.connection == 0) return {ok(document(), etag).substr(0, 600), Then::close};
            if (request.field("Range").empty()) return ok(other, "ETag: \"v2\"\r\n");
            return slice(request, 5000, "ETag: \"v2\"\r\n", other);
        }};
        CHECK(scenario
                  .run({"webget", "--retry", "1", "--retry-delay", "0.01", "-o", "f",
                        server.url("/f")})
                  .status == 0);
        CHECK(scenario.read_file("f") == other);
        const auto printed = scenario.run(
            {"webget", "-s", "--retry", "1", "--retry-delay", "0.01", server.url("/f")});
        CHECK(printed.status == 0); // only the first connection was cut off
    }
}

TEST_CASE("every way to complete a document passes the checksum") {
    Scenario scenario;
    const std::string wrong = "sha256:" + std::string(64, '0');
    const auto url_of = [](const HttpPeer& server) { return server.url("/f"); };
    SUBCASE("a file of the right length") {
        const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
            return answer("416 Range Not Satisfiable", "Content-Range: bytes */2048\r\n");
        }};
        scenario.write_file("f", std::string(2048, 'x'));
        const auto result =
            scenario.run({"webget", "-C", "-", "--checksum", wrong, "-o", "f", url_of(server)});
        CHECK(result.status == 102);
        CHECK(scenario.read_file("f").size() == 2048);
    }
    SUBCASE("a part of the right length") {
        const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
            return answer("416 Range Not Satisfiable", "Content-Range: bytes */2048\r\n");
        }};
        begin(scenario, url_of(server), 2048);
        CHECK(scenario.run({"webget", "-C", "-", "--checksum", wrong, "-o", "f", url_of(server)})
                  .status == 102);
        CHECK_FALSE(scenario.exists("f"));
    }
    SUBCASE("a file that has not changed") {
        for (const char* const bytes : {"HTTP/1.1 304 Not Modified\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                                        "Last-Modified: Sat, 31 Jan 2020 00:00:00 GMT\r\n\r\nx"}) {
            const HttpPeer server{
                [&](const HttpRequest&) -> HttpAnswer { return std::string{bytes}; }};
            scenario.write_file("f", "hello\n");
            CHECK(
                scenario.run({"webget", "-z", "f", "--checksum", wrong, "-o", "f", url_of(server)})
                    .status == 102);
            CHECK(scenario
                      .run({"webget", "-z", "f", "--checksum",
                            "sha256:"
                            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
                            "-o", "f", url_of(server)})
                      .status == 0);
            CHECK(scenario.read_file("f") == "hello\n");
        }
    }
    SUBCASE("but the page of an error is not a document") {
        const HttpPeer server{
            [](const HttpRequest&) -> HttpAnswer { return answer("404 Not Found", "", "no\n"); }};
        CHECK(scenario.run({"webget", "--fail-with-body", "--checksum", wrong, url_of(server)})
                  .status == 22);
    }
}
