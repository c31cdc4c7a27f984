#include "http/response_parser.h"

#include "http/failure.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <string>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

using Asked = ResponseParser::Asked;
using Framing = ResponseParser::Framing;

// Why BYTES are refused.
std::string refused(std::string_view bytes, Asked asked = Asked::document) {
    try {
        ResponseParser parser{asked};
        const auto taken = parser.parse_head(bytes);
        return parser.has_head() ? "taken"
                                 : fmt::format("needs more than {}", bytes.size() - taken);
    } catch (const ProtocolError& error) {
        CHECK(error.status() == status::not_http);
        return error.what();
    }
}

// The body of a response with FIELDS. Each field has its line end.
struct Body {
    Framing framing;
    std::uint64_t length;
    bool keeps_alive;

    friend bool operator==(const Body&, const Body&) = default;
};
Body body_of(std::string_view status_line, std::string_view fields, Asked asked = Asked::document) {
    ResponseParser parser{asked};
    (void)parser.parse_head(fmt::format("{}\r\n{}\r\n", status_line, fields));
    REQUIRE(parser.has_head());
    return {parser.framing(), parser.length(), parser.keeps_alive()};
}

constexpr std::string_view chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

// The content of a body in chunks that comes in pieces of SIZE bytes. When the body is done, a '.'
// and the number of bytes used follow.
std::string content(std::string_view bytes, std::size_t size = std::string::npos) {
    ResponseParser parser{Asked::document};
    CHECK(parser.parse_head(chunked_head) == chunked_head.size());
    CHECK(parser.framing() == Framing::chunked);
    std::string text;
    std::string unread;
    std::size_t taken = 0;
    try {
        for (auto left = bytes; !left.empty() && !parser.is_done();) {
            unread += left.substr(0, size);
            left.remove_prefix(std::min(size, left.size()));
            const auto step =
                parser.parse_chunked(unread, [&](std::string_view piece) { text += piece; });
            unread.erase(0, step);
            taken += step;
        }
    } catch (const ProtocolError& error) {
        return error.what();
    }
    return parser.is_done() ? fmt::format("{}. {}", text, taken) : text;
}

std::string lines(std::size_t count, std::string_view line) {
    std::string text;
    for (std::size_t number = 0; number < count; ++number)
        text += line;
    return text;
}

} // namespace

TEST_CASE("a head is taken, and no byte after it") {
    constexpr std::string_view bytes = "HTTP/1.1 404 Not  here\r\n"
                                       "Content-Length: 3\r\n"
                                       "X-Empty:\r\n"
                                       "x-two:  one, two \t\r\n"
                                       "X-Two: three\r\n"
                                       "\r\n";
    ResponseParser parser{Asked::document};
    CHECK(parser.parse_head(std::string{bytes} + "abc") == bytes.size());
    REQUIRE(parser.has_head());
    const auto& head = parser.head();
    CHECK(head.status == 404);
    CHECK(head.version == 11);
    CHECK(head.reason == "Not  here");
    CHECK(head.bytes == bytes);
    REQUIRE(head.fields.size() == 4);
    CHECK(*head.find("X-TWO") == "one, two");
    CHECK(head.find("X-Empty")->empty());
    CHECK(head.find("X-Tw") == nullptr);
    CHECK(parser.length() == 3);
}

TEST_CASE("no byte is taken until the head is whole") {
    constexpr std::string_view bytes = "HTTP/1.0 200 OK\r\nA: b\r\n\r\n";
    ResponseParser parser{Asked::document};
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK(parser.parse_head(bytes.substr(0, size)) == 0);
    CHECK_FALSE(parser.has_head());
    CHECK(parser.parse_head(bytes) == bytes.size());
    CHECK(parser.has_head());
    CHECK(parser.head().version == 10);
}

TEST_CASE("a redirect has a Location") {
    ResponseHead head;
    head.fields = {{"location", "/"}};
    for (const int status : {300, 301, 302, 303, 307, 308}) {
        head.status = status;
        CHECK(head.is_redirect());
    }
    for (const int status : {200, 201, 304, 305, 306, 404}) {
        head.status = status;
        CHECK_FALSE(head.is_redirect());
    }
    CHECK_FALSE(ResponseHead{11, 302, "", {}, ""}.is_redirect());
}

TEST_CASE("bytes that are not HTTP are recognised immediately") {
    for (const auto* bytes :
         {"\n", "h", "HTTQ", "HTTP 200", "ICY 200 OK", "SSH-2.0-x\r\n", " HTTP/1.1"})
        CHECK(refused(bytes) == "the server does not speak HTTP");
    CHECK(refused("HTTP") == "needs more than 4");
    for (const auto* line :
         {"HTTP/2 200 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/1.1 20 OK",
          "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1 -20 OK", "HTTP/1.1"})
        CHECK(
            refused(fmt::format("{}\r\n\r\n", line)).starts_with("the head cannot be understood"));
}

TEST_CASE("sloppy line ends are accepted") {
    for (const auto* bytes :
         {"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n",
          "HTTP/1.1 200\nContent-Length: 5\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\n"}) {
        ResponseParser parser{Asked::document};
        CHECK(parser.parse_head(bytes) == std::string_view{bytes}.size());
        REQUIRE(parser.has_head());
        CHECK(parser.head().bytes == bytes);
        CHECK(parser.length() == 5);
        // After such loose framing, the connection is not used again.
        CHECK_FALSE(parser.keeps_alive());
    }
    CHECK(refused("HTTP/1.1 200 OK\r\nno colon\r\n\r\n") ==
          "the head cannot be understood: bad field");
    CHECK(refused(std::string_view{"HTTP/1.1 200 OK\r\na: \0\r\n\r\n", 25})
              .starts_with("the head cannot be understood"));
}

TEST_CASE("the head decides the framing of the body") {
    constexpr auto ok = "HTTP/1.1 200 OK";
    CHECK(body_of(ok, "Content-Length: 7\r\n") == Body{Framing::length, 7, true});
    CHECK(body_of(ok, "Content-Length: 0\r\n") == Body{Framing::none, 0, true});
    CHECK(body_of(ok, "Content-Length: 18446744073709551614\r\n").length == 18446744073709551614U);
    CHECK(body_of(ok, "Transfer-Encoding: CHUNKED\r\n") == Body{Framing::chunked, 0, true});
    CHECK(body_of(ok, "") == Body{Framing::until_close, 0, false});
    CHECK(body_of("HTTP/1.1 204 No", "Content-Length: 7\r\n").framing == Framing::none);
    CHECK(body_of("HTTP/1.1 304 No", "Transfer-Encoding: chunked\r\n").framing == Framing::none);
    CHECK(body_of("HTTP/1.1 101 So", "Content-Length: 7\r\n").framing == Framing::none);
    CHECK(body_of(ok, "Content-Length: 7\r\n", Asked::head) == Body{Framing::none, 7, true});
    CHECK(body_of(ok, "", Asked::head) == Body{Framing::none, 0, true});
    CHECK(body_of(ok, "Transfer-Encoding: chunked\r\n", Asked::tunnel).framing == Framing::none);
}

TEST_CASE("the head decides whether the connection stays open") {
    constexpr auto fields = "Content-Length: 1\r\nConnection: {}\r\n";
    const auto keeps = [&](std::string_view version, std::string_view word) {
        return body_of(fmt::format("HTTP/{} 200 OK", version), fmt::format(fields, word))
            .keeps_alive;
    };
    CHECK(keeps("1.1", "x"));
    CHECK(keeps("1.1", "keep-alive"));
    CHECK_FALSE(keeps("1.1", "x, Close"));
    CHECK_FALSE(keeps("1.0", "x"));
    CHECK_FALSE(keeps("1.0", "close"));
    CHECK(keeps("1.0", "Keep-Alive"));
}

TEST_CASE("a head that two readers could read differently is refused") {
    const auto with = [](std::string_view fields) {
        return refused(fmt::format("HTTP/1.1 200 OK\r\n{}\r\n", fields));
    };
    constexpr auto bad_length =
        "the head cannot be understood: a bad or contradictory Content-Length";
    for (const auto* value : {"", "x", "-1", "+1", "1 2", "1, 2", "0x1", "1.5", "1,",
                              "18446744073709551616", "99999999999999999999"})
        CHECK(with(fmt::format("Content-Length: {}\r\n", value)) == bad_length);
    CHECK(with("Content-Length: 1\r\nContent-Length: 2\r\n") == bad_length);
    for (const auto* coding : {"gzip", "chunked, gzip", "xchunked", "chunked;x", "gzip, chunked",
                               "gzip\r\nTransfer-Encoding: chunked"})
        CHECK(with(fmt::format("Transfer-Encoding: {}\r\n", coding)) != "taken");
    CHECK(with("Transfer-Encoding\r\n : chunked\r\n") != "taken");
}

TEST_CASE(
    "a head with a mistake that leaves one way to read it is taken, and ends the connection") {
    constexpr auto ok = "HTTP/1.1 200 OK";
    constexpr Body five{Framing::length, 5, false};
    constexpr Body chunks{Framing::chunked, 0, false};
    CHECK(body_of(ok, "Content-Length: 5\r\ncontent-length: 5\r\n") == five);
    CHECK(body_of(ok, "Content-Length: 5, 5\r\n") == five);
    CHECK(body_of(ok, "Content-Length : 5\r\n") == five);
    CHECK(body_of(ok, "Transfer-Encoding: identity\r\nContent-Length: 5\r\n") == five);
    CHECK(body_of(ok, "Transfer-Encoding: identity\r\n").framing == Framing::until_close);
    CHECK(body_of(ok, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == chunks);
    CHECK(body_of(ok, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") == chunks);
    CHECK(body_of(ok, "Transfer-Encoding: chunked, identity\r\n") == chunks);
    CHECK(body_of(ok, "Transfer-Encoding: chunked, Chunked\r\n") == chunks);
    CHECK(body_of(ok, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == chunks);
    CHECK(body_of("HTTP/1.0 200 OK", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n") ==
          chunks);
    for (const auto* field : {": x", "a b: x", "caf\xc3\xa9: x", "a: b\x01", "a: \x1b[2J",
                              "a: b\rc", "a: b\r", "a\x01: x", "a b: x\r\n and more"})
        CHECK(body_of(ok, fmt::format("{}\r\nContent-Length: 5\r\n", field)) == five);
    CHECK(body_of("HTTP/1.1 103 Early\r\na b: x\r\n\r\nHTTP/1.1 200 OK", "Content-Length: 5\r\n") ==
          five);
}

TEST_CASE("interim responses are skipped, but not without end") {
    constexpr std::string_view early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    constexpr std::string_view last = "HTTP/1.1 200 OK\r\n\r\n";
    const auto bytes = lines(20, early) + std::string{last};
    ResponseParser parser{Asked::document};
    CHECK(parser.parse_head(bytes) == bytes.size());
    CHECK(parser.head().status == 200);
    CHECK(parser.head().fields.empty());
    CHECK(refused(lines(21, early)) == "the server sends too many interim responses");

    // Each interim response is taken as it comes.
    ResponseParser slow{Asked::document};
    CHECK(slow.parse_head(early) == early.size());
    CHECK_FALSE(slow.has_head());
    CHECK(slow.parse_head(last.substr(0, 9)) == 0);
    CHECK(slow.parse_head(last) == last.size());
    CHECK(slow.head().status == 200);
    // After 101, another protocol would begin.
    CHECK(refused("HTTP/1.1 101 Switching\r\n\r\n") == "taken");
}

TEST_CASE("a head has its limits") {
    constexpr std::string_view begin = "HTTP/1.1 200 OK\r\n";
    const auto most = ResponseParser::max_head_bytes;
    const auto long_head = [&](std::size_t size) {
        const auto rest = size - begin.size() - (sizeof "A: \r\n\r\n" - 1);
        return fmt::format("{}A: {}\r\n\r\n", begin, std::string(rest, 'x'));
    };
    CHECK(refused(long_head(most)) == "taken");
    CHECK(refused(long_head(most + 1)) == "the head has more than 262144 bytes");
    CHECK(refused(long_head(most + 3).substr(0, most)) == "needs more than 262144");
    CHECK(refused(long_head(most + 3).substr(0, most + 1)) ==
          "the head has more than 262144 bytes");

    const auto many = [&](std::size_t count) {
        return refused(std::string{begin} + lines(count, "A: b\r\n") + "\r\n");
    };
    CHECK(many(ResponseParser::max_fields) == "taken");
    CHECK(many(ResponseParser::max_fields + 1) ==
          "the head cannot be understood: more than 1000 fields, or more than 262144 bytes of "
          "them");
}

TEST_CASE("a body in chunks is read, however it is cut") {
    constexpr std::string_view bytes = "5\r\nhello\r\n0A;x=\"y\"\r\n, world...\r\n"
                                       "0\r\nX-Trailer: z\r\n\r\n";
    const auto whole = fmt::format("hello, world.... {}", bytes.size());
    for (std::size_t size = 1; size <= bytes.size(); ++size)
        CHECK(content(bytes, size) == whole);
    CHECK(content(std::string{bytes} + "HTTP/1.1 200") == whole);
    CHECK(content("0\r\n\r\n") == ". 5");
    // The content that has come is given at once, but an incomplete body is not done.
    for (std::size_t size = 3; size < bytes.size(); ++size)
        CHECK(content(bytes.substr(0, size)).find(". ") == std::string::npos);
    CHECK(content("5\r\nhel") == "hel");
    // We forgive servers these mistakes.
    CHECK(content("1\na\n0\n\n") == "a. 7");
    CHECK(content("3  \r\nabc\r\n0\r\n\r\n") == "abc. 15");
    CHECK(content("3\t\nabc\n0 \n\n") == "abc. 11");
}

TEST_CASE("malformed chunks are refused") {
    for (const auto* bytes :
         {"x\r\n", "\r\n", "-1\r\na\r\n", "1 2\r\na\r\n", "  \r\n", ";x\r\n", "1\r\na\rb\r\n",
          "0x1\r\na\r\n\r\n", " 1\r\na\r\n", "10000000000000000\r\n", "1\r\nab\r\n0\r\n\r\n",
          "1\r\na0\r\n\r\n", "0\r\nno colon\r\n\r\n", "1;\x01\r\na\r\n"})
        CHECK(content(bytes).starts_with("the body cannot be understood: "));
}

TEST_CASE("trailers have limits as heads do") {
    const auto trailers = lines(ResponseParser::max_fields + 1, "A: b\r\n");
    CHECK(content("0\r\n" + trailers + "\r\n") ==
          "the body cannot be understood: a head or a trailer without end");
    const auto value = std::string(ResponseParser::max_head_bytes, 'x');
    CHECK(content("0\r\nA: " + value + "\r\n\r\n") ==
          "the body cannot be understood: a head or a trailer without end");
}

TEST_CASE("an exception of the sink is passed on") {
    ResponseParser parser{Asked::document};
    (void)parser.parse_head(chunked_head);
    const auto full = [](std::string_view /*piece*/) { throw TransferError("full", 23); };
    CHECK_THROWS_AS((void)parser.parse_chunked("1\r\na\r\n", full), TransferError);
}
