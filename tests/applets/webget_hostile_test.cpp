// Broken or hostile servers. Each is reported in one line, with curl's status and in time. No file
// from it is taken for a document.
#include "core/io.h"
#include "core/poll.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <semaphore>
#include <sys/socket.h>
#include <zlib.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

HttpPeer::Answers always(const std::string& bytes, Then then = Then::keep) {
    return [bytes, then](const HttpRequest&) -> HttpAnswer { return {bytes, then}; };
}

// Fetches into "f" from a server that sends BYTES. Checks everything that holds for every failure.
// Returns the error without the URL.
std::string failure(int status, const std::string& bytes, Then then = Then::close,
                    const Words& options = {}) {
    Scenario scenario;
    scenario.write_file("f", "old");
    const HttpPeer server{always(bytes, then)};
    Words words{"webget", "-o", "f"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.url("/"));
    const auto result = scenario.run(words);
    CAPTURE(bytes.substr(0, 200));
    CHECK(result.status == status);
    CHECK(result.out.empty());
    CHECK(scenario.read_file("f") == "old");
    const auto start = fmt::format("webget: {}: ", server.url("/"));
    CHECK(result.err.starts_with(start));
    CHECK(result.err.find('\n') == result.err.size() - 1);
    return result.err.substr(std::min(start.size(), result.err.size()));
}

// The same for an answer that has no fault. Returns the document.
std::string fetched(const std::string& bytes, Then then = Then::close, const Words& options = {}) {
    Scenario scenario;
    const HttpPeer server{always(bytes, then)};
    Words words{"webget", "-m", "25"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.url("/"));
    const auto result = scenario.run(words);
    CAPTURE(bytes.substr(0, 200));
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    return result.out;
}

std::string gzipped(std::string_view text) {
    constexpr int gzip_format = MAX_WBITS + 16;
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_format, MAX_MEM_LEVEL,
                           Z_DEFAULT_STRATEGY) == Z_OK);
    std::string made(::deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(made.data());
    stream.avail_out = static_cast<uInt>(made.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    made.resize(stream.total_out);
    ::deflateEnd(&stream);
    return made;
}

constexpr const char* chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

TEST_CASE("a server that cannot be reached has the statuses of curl") {
    Scenario scenario;
    auto result = scenario.run({"webget", "-o", "f", "http://host.invalid/"});
    CHECK(result.status == 6);
    CHECK(result.err.starts_with("webget: http://host.invalid/: cannot resolve host.invalid: "));
    const RefusedPort port;
    const auto url = fmt::format("http://127.0.0.1:{}/", port.number());
    result = scenario.run({"webget", "-o", "f", url});
    CHECK(result.status == 7);
    CHECK(result.err == fmt::format("webget: {}: cannot connect to 127.0.0.1:{}: Connection "
                                    "refused\n",
                                    url, port.number()));
    result = scenario.run({"webget", "unix:absent", "/"});
    CHECK(result.status == 7);
    CHECK(result.err.find("absent") != std::string::npos);
    CHECK_FALSE(scenario.exists("f"));
    CHECK_FALSE(scenario.exists(part_of("f")));
}

TEST_CASE("a server that says nothing or does not speak HTTP is an error") {
    CHECK(failure(52, "") == "the server closed the connection without an answer\n");
    CHECK(failure(56, "", Then::reset) == "the connection broke: Connection reset by peer\n");
    CHECK(failure(56, "HTTP/1.1 200 OK\r\nContent-") ==
          "the server closed the connection within the head\n");
    for (const char* const babble : {"hello\n", "<html>HTTP/0.9</html>\n", "SSH-2.0-x\r\n",
                                     "HTTQ/1.1 200 OK\r\n\r\n", "HTTP\n", "\r\n\r\n"})
        CHECK(failure(8, babble) == "the server does not speak HTTP\n");
    for (const char* const head :
         {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"})
        CHECK(failure(8, head).starts_with("the head cannot be understood: "));
}

TEST_CASE("a body is as long as it says") {
    CHECK(failure(18, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort") ==
          "the body ended too early: 4 bytes are missing\n");
    CHECK(failure(56, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Then::reset) ==
          "the connection broke: Connection reset by peer\n");
    CHECK(failure(56, "HTTP/1.1 200 OK\r\n\r\nwithout an end", Then::reset) ==
          "the connection broke: Connection reset by peer\n");
    CHECK(failure(18, std::string{chunked} + "5\r\nhello\r\n") == "the body ended too early\n");
    CHECK(failure(18, std::string{chunked} + "5\r\nhel") == "the body ended too early\n");
    CHECK(failure(18, std::string{chunked} + "0\r\n") == "the body ended too early\n");
    // The bytes after the body are not part of the answer.
    CHECK(fetched("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlonger than that") == "long");
    CHECK(fetched("HTTP/1.1 204 No Content\r\n\r\nnothing?", Then::stay).empty());
    CHECK(fetched("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Then::stay,
                  {"-H", "If-None-Match: \"x\""})
              .empty());
    CHECK(fetched("HTTP/1.1 200 OK\r\n\r\nto the end") == "to the end");
}

TEST_CASE("a body in chunks is read strictly") {
    CHECK(fetched(std::string{chunked} +
                      "5;x=\"y\"\r\nhello\r\n0001\r\n\n\r\n0\r\nTrailer: x\r\n\r\n",
                  Then::stay) == "hello\n");
    for (const char* const body : {"x\r\n", "-1\r\n", "\r\n", "5 hello\r\n", "5\r\nhello world\r\n",
                                   "fffffffffffffffff\r\n", "0x5\r\nhello\r\n0\r\n\r\n"}) {
        CAPTURE(body);
        CHECK(failure(8, std::string{chunked} + body, Then::stay)
                  .starts_with("the body cannot be understood: "));
    }
    CHECK(failure(8, std::string{chunked} + "5;" + std::string(300'000, 'x'), Then::stay)
              .starts_with("the body cannot be understood: "));
    CHECK(failure(8, std::string{chunked} + "0\r\nX: " + std::string(300'000, 'x'), Then::stay)
              .starts_with("the body cannot be understood: "));
}

TEST_CASE("heads that two readers could read in two ways are refused") {
    for (const char* const fields :
         {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n",
          "Content-Length: -5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
          "Content-Length: 5 5\r\n", "Content-Length: \r\n",
          "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n",
          "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: xchunked\r\n",
          "Transfer-Encoding\r\n : chunked\r\n"}) {
        CAPTURE(fields);
        const auto said =
            failure(8, std::string{"HTTP/1.1 200 OK\r\n"} + fields + "\r\n5\r\nhello\r\n0\r\n\r\n");
        CHECK(said.starts_with("the head "));
    }
}

TEST_CASE("common mistakes of servers are forgiven") {
    CHECK(fetched("HTTP/1.1 200 OK\nContent-Length: 5\nX: y\n\nhello") == "hello");
    CHECK(fetched("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello") == "hello");
    CHECK(fetched("HTTP/1.0 200 OK\n\nhello") == "hello");
    CHECK(fetched(std::string{chunked} + "3  \r\nabc\r\n0\r\n\r\n", Then::stay) == "abc");
    CHECK(fetched(std::string{chunked} + "3\nabc\n0\n\n", Then::stay) == "abc");
    for (const char* const fields :
         {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
          "Content-Length : 5\r\n", "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
          "A B: x\r\nContent-Length: 5\r\n", ": x\r\nContent-Length: 5\r\n",
          "X: \x1b[2J\r\nContent-Length: 5\r\n"}) {
        CAPTURE(fields);
        CHECK(fetched(std::string{"HTTP/1.1 200 OK\r\n"} + fields + "\r\nhello", Then::stay) ==
              "hello");
    }
    for (const char* const fields :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
        CAPTURE(fields);
        CHECK(fetched(std::string{"HTTP/1.1 200 OK\r\n"} + fields + "\r\n5\r\nhello\r\n0\r\n\r\n",
                      Then::stay) == "hello");
    }
    CHECK(fetched("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                  Then::stay) == "hello");
    CHECK(fetched("HTTP/1.1 299 Whatever\r\nContent-Length: 5\r\n\r\nhello") == "hello");
}

TEST_CASE("an answer without end is an error") {
    const std::string start = "HTTP/1.1 200 OK\r\n";
    CHECK(failure(8, start + "X: " + std::string(300'000, 'x'), Then::stay) ==
          "the head has more than 262144 bytes\n");
    std::string fields;
    for (int count = 0; count <= 1000; ++count)
        fields += fmt::format("X{}: y\r\n", count);
    CHECK(failure(8, start + fields + "\r\n", Then::stay) ==
          "the head cannot be understood: more than 1000 fields, or more than 262144 bytes of "
          "them\n");
    std::string interim;
    for (int count = 0; count < 20; ++count)
        interim += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    CHECK(fetched(interim + ok("hello"), Then::stay) == "hello");
    CHECK(failure(8, interim + "HTTP/1.1 100 Continue\r\n\r\n", Then::stay) ==
          "the server sends too many interim responses\n");
    CHECK(fetched("HTTP/1.1 100 Continue\r\n\r\n" + ok("hello"), Then::stay, {"-d", "x"}) ==
          "hello");
}

TEST_CASE("content codings are undone, and bad ones refused") {
    const auto text = numbered_text(5000);
    const auto message = [](std::string_view coding, std::string_view body) {
        return ok(body, fmt::format("Content-Encoding: {}\r\n", coding));
    };
    const Words compressed{"--compressed"};
    const auto gzip = gzipped(text);
    CHECK(fetched(message("gzip", gzip), Then::keep, compressed) == text);
    CHECK(fetched(message("identity", text), Then::keep, compressed) == text);
    CHECK(fetched(message("gzip", gzip)) == gzip); // no coding was asked for, so it stays as it is
    CHECK(failure(61, message("gzip", gzip.substr(0, gzip.size() / 2)), Then::keep, compressed) ==
          "cannot decode the gzip body: it ends too early\n");
    CHECK(failure(61, message("gzip", "no such thing"), Then::keep, compressed) != "");
    CHECK(failure(61, message("br", "x"), Then::keep, compressed) ==
          "the document has the unrequested encoding br\n");
    // A list with words that have no meaning.
    for (const char* const nothing : {"none", "", "identity, identity"})
        CHECK(fetched(message(nothing, text), Then::keep, compressed) == text);
    CHECK(fetched(message("gzip, identity", gzip), Then::keep, compressed) == text);
    CHECK(fetched(message("gzip, gzip", gzipped(gzip)), Then::keep, compressed) == text);
    CHECK(fetched(ok(gzipped(gzip), "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"),
                  Then::keep, compressed) == text);
    const auto bomb = gzipped(std::string(64UL * 1024 * 1024, '\0'));
    CHECK(failure(61, message("gzip", bomb), Then::keep, compressed) != "");
    Scenario scenario;
    const HttpPeer server{always(message("gzip", gzip))};
    CHECK(scenario.run({"webget", "--compressed", server.url("/")}).status == 0);
    CHECK(server.requests().front().field("Accept-Encoding") == "gzip, deflate");
}

TEST_CASE("an error's page is shown as its author wrote it") {
    Scenario scenario;
    const HttpPeer server{
        always(answer("404 Not Found", "Content-Encoding: gzip\r\n", gzipped("no such thing\n")))};
    const auto url = server.url("/");
    for (const Words& options : std::vector<Words>{{"--compressed"}, {"--compressed", "-o", "f"}}) {
        Words words{"webget"};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(url);
        const auto result = scenario.run(words);
        CHECK(result.status == 22);
        CHECK(result.err == fmt::format("no such thing\nwebget: {}: 404 Not Found\n", url));
    }
    CHECK(scenario.run({"webget", "--compressed", "--fail-with-body", url}).out ==
          "no such thing\n");
}

TEST_CASE("an error's page goes where the document would have gone to be forgotten") {
    Scenario scenario;
    const HttpPeer server{always(answer("404 Not Found", "", "no such thing\n"))};
    const auto result =
        scenario.run({"webget", "-s", "-o", "/dev/null", "-w", "%{http_code}", server.url("/")});
    CHECK(result.out == "404");
    CHECK(result.err.empty());
}

TEST_CASE("another protocol is not a document") {
    CHECK(failure(8, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Then::stay) ==
          "the server switches to another protocol without a request\n");
}

TEST_CASE("-I reads only the head, whatever the method") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        return ok("body of " + request.target() + "\n");
    }};
    const auto head = ok("").substr(0, 15);
    for (const char* const method : {"GET", "DELETE", "OPTIONS"}) {
        const auto result = scenario.run(
            {"webget", "-I", "-X", method, server.url("/a"), server.url("/b"), server.url("/c")});
        CHECK(result.status == 0);
        CHECK(result.out.find("body") == std::string::npos);
        CHECK(result.out.starts_with(head));
    }
}

TEST_CASE("the time limit holds at each stage") {
    // Whether it ends while webget does STEP.
    const auto ends_in = [](const std::string& step, const std::string& bytes,
                            const Words& more = {}, const std::string& option = "-m") {
        const auto expected = fmt::format("timed out: {}\n", step);
        const auto run = [&](const std::string& limit) {
            Words options{option, limit};
            options.insert(options.end(), more.begin(), more.end());
            return failure(28, bytes, Then::stay, options);
        };
        return with_time_limit(run, [&](const auto& text) { return text == expected; }) == expected;
    };
    CHECK(ends_in("waiting for the server", ""));
    CHECK(ends_in("waiting for the server", "", {}, "-t"));
    CHECK(ends_in("waiting for the server", "HTTP/1.1 200 OK\r\nContent-"));
    CHECK(ends_in("waiting for the server", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbe"));
    CHECK(ends_in("waiting for the server", std::string{chunked} + "5\r\nhel"));
    CHECK(ends_in("receiving the document", ok(std::string(2000, 'x')), {"--limit-rate", "100"}));
    SUBCASE("while connecting") {
        Scenario scenario;
        // Nobody empties the backlog. One client waits in it, and the next one outside.
        const Fd listener = listen_at(*net::Address::parse_ip("127.0.0.1", 0), 0);
        const auto address = net::local_address(listener.get());
        const Fd first =
            Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        (void)::connect(first.get(), address.data(), address.size());
        REQUIRE(wait_for(listener.get(), POLLIN, Deadline::after(std::chrono::seconds{30})));
        const auto url = fmt::format("http://{}/", address.text());
        for (const char* const option : {"--connect-timeout", "-m"}) {
            const auto result = scenario.run({"webget", option, "0.2", url});
            CHECK(result.status == 28);
            CHECK(result.err ==
                  fmt::format("webget: {}: timed out: connecting to {}\n", url, address.text()));
        }
    }
    SUBCASE("while sending") {
        Scenario scenario;
        scenario.shell("truncate -s 64M large");
        const Fd listener = listen_at(*net::Address::parse_ip("127.0.0.1", 0)); // nobody reads
        const auto url = fmt::format("http://{}/f", net::local_address(listener.get()).text());
        const auto expected = fmt::format("webget: {}: timed out: sending the request\n", url);
        const auto result = with_time_limit(
            [&](const std::string& limit) {
                return scenario.run({"webget", "-m", limit, "-T", "large", url});
            },
            [&](const Result& late) { return late.err == expected; });
        CHECK(result.status == 28);
        CHECK(result.err == expected);
    }
    SUBCASE("while an endless body arrives") {
        Scenario scenario;
        const Peer server{[](const Fd& client) {
            (void)HttpReader{client}.next();
            say(client, "HTTP/1.1 200 OK\r\n\r\n");
            for (const std::string some(1UL << 20U, 'x');;)
                say(client, some);
        }};
        const auto url = "http://" + server.text() + "/";
        // With a hash and without: a body takes another way then.
        for (const Words& words : {Words{"webget", "-m", "0.3", "-o", "/dev/null", url},
                                   Words{"webget", "-m", "0.3", "-o", "/dev/null", "-J", url}}) {
            const auto result = scenario.run(words);
            CHECK(result.status == 28);
            CHECK(result.err.starts_with(fmt::format("webget: {}: timed out: ", url)));
        }
    }
    SUBCASE("the time limit of connecting does not count the wait for the answer") {
        CHECK(fetched(ok("hello"), Then::keep, {"--connect-timeout", "20"}) == "hello");
    }
}

TEST_CASE("a server that answers before it has read everything is heard") {
    Scenario scenario;
    scenario.shell("truncate -s 32M large");
    std::binary_semaphore over{0};
    const Peer server{[&over](const Fd& client) {
        std::array<std::byte, 100> some{};
        (void)read_some(client.get(), some, "a client");
        say(client, answer("413 Too Large", "Connection: close\r\n", "too large\n"));
        (void)over.try_acquire_for(std::chrono::seconds{30}); // and reads no more
    }};
    const auto url = "http://" + server.text() + "/f";
    const auto result = scenario.run({"webget", "--data-binary", "@large", url});
    over.release();
    CHECK(result.status == 22);
    CHECK(result.err == fmt::format("too large\nwebget: {}: 413 Too Large\n", url));
}

TEST_CASE("an answer from 300 to 399 that leads nowhere is not a document") {
    CHECK(failure(22, "HTTP/1.1 304 Not Modified\r\n\r\n", Then::stay) ==
          "304 Not Modified, although the request had no condition\n");
    for (const char* const status : {"302 Found", "305 Use Proxy", "306 Unused", "399 What"}) {
        CAPTURE(status);
        CHECK(failure(22, answer(status), Then::close, {"-L"}) == fmt::format("{}\n", status));
    }
    CHECK(failure(22, answer("305 Use Proxy", "Location: /\r\n"), Then::close, {"-L"}) ==
          "305 Use Proxy\n");
    CHECK(fetched(answer("300 Multiple Choices", "", "choose")) == "choose");
}

TEST_CASE("a body that nobody wants is not waited for") {
    for (const char* const body : {"\r\nto the end", "Content-Length: 9\r\n\r\nshort",
                                   "Transfer-Encoding: chunked\r\n\r\n9\r\nshort"}) {
        CAPTURE(body);
        Scenario scenario;
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.target() == "/there") return ok("here\n");
            if (request.target() == "/missing")
                return {std::string{"HTTP/1.1 404 Not Found\r\n"} + body, Then::stay};
            return {std::string{"HTTP/1.1 302 Found\r\nLocation: /there\r\n"} + body, Then::stay};
        }};
        auto result = scenario.run({"webget", "-L", server.url("/")});
        CHECK(result.status == 0);
        CHECK(result.out == "here\n");
        CHECK(server.connections() == 2);
        result = scenario.run({"webget", "-f", server.url("/missing"), server.url("/there")});
        CHECK(result.status == 22);
        CHECK(result.out == "here\n");
    }
}

TEST_CASE("redirects") {
    Scenario scenario;
    const auto moved = [](const std::string& to, const char* status = "302 Found") {
        return answer(status, "Location: " + to + "\r\n", "elsewhere\n");
    };
    SUBCASE("are followed on request") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.target() == "/a/b") return moved("../c");
            if (request.target() == "/c") return moved("/d?e", "308 Permanent Redirect");
            return ok("here\n");
        }};
        const auto result = scenario.run({"webget", "-L", server.url("/a/b")});
        CHECK(result.out == "here\n");
        CHECK(server.targets() == "/a/b /c /d?e");
        CHECK(server.connections() == 1);
        const auto unasked = scenario.run({"webget", server.url("/a/b")});
        CHECK(unasked.status == 22);
        CHECK(unasked.out.empty());
        CHECK(unasked.err == fmt::format("elsewhere\nwebget: {}: 302 Found: it is at ../c "
                                         "(-L goes there)\n",
                                         server.url("/a/b")));
    }
    SUBCASE("also to one of several choices") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            return request.target() == "/" ? moved("/b", "300 Multiple Choices") : ok("here\n");
        }};
        CHECK(scenario.run({"webget", "-L", server.url("/")}).out == "here\n");
    }
    SUBCASE("but not endlessly") {
        const HttpPeer server{always(moved("/again"))};
        auto result = scenario.run({"webget", "-L", "-o", "f", server.url("/again")});
        CHECK(result.status == 47);
        CHECK(result.err ==
              fmt::format("webget: {}: more than 50 redirects\n", server.url("/again")));
        CHECK(server.requests().size() == 51);
        result = scenario.run({"webget", "-L", "--max-redirs", "2", server.url("/again")});
        CHECK(result.status == 47);
        CHECK(server.requests().size() == 51 + 3);
        CHECK_FALSE(scenario.exists("f"));
    }
    SUBCASE("and only to HTTP servers") {
        const auto follow = [&](const char* place) {
            const HttpPeer server{always(moved(place))};
            return scenario.run({"webget", "-L", "-o", "f", server.url("/")});
        };
        for (const char* const place : {"http://", "http://host:99999/", "gopher:x"}) {
            CAPTURE(place);
            const auto result = follow(place);
            CHECK(result.status == 3);
            CHECK(result.err.find("redirected to an invalid URL: ") != std::string::npos);
        }
        for (const std::string place : {"ftp://host/", "file:///etc/passwd"}) {
            CAPTURE(place);
            const auto result = follow(place.c_str());
            CHECK(result.status == 1);
            CHECK(result.err.find("redirected to " + place + ": only http") != std::string::npos);
        }
    }
    SUBCASE("secrets stay where they belong") {
        const HttpPeer other{always(ok("hello\n"))};
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            return moved(request.target() == "/here" ? "/there" : other.url("/"));
        }};
        CHECK(scenario
                  .run({"webget", "-L", "-u", "me:pw", "-H", "Cookie: c", "-H", "X: y", "-H",
                        "Host: h", server.url("/here")})
                  .status == 0);
        CHECK(scenario
                  .run({"webget", "-L", "-H", "authorization: secret",
                        "http://me:pw@" + server.text() + "/here"})
                  .status == 0);
        REQUIRE(server.requests().size() == 4);
        CHECK(server.requests()[1].field("Authorization") == "Basic bWU6cHc=");
        CHECK(server.requests()[1].field("Cookie") == "c");
        CHECK(server.requests()[3].field("authorization") == "secret");
        REQUIRE(other.requests().size() == 2);
        for (const auto& request : other.requests()) {
            CHECK(request.field("Authorization").empty());
            CHECK(request.field("Cookie").empty());
            CHECK(request.field("Host") == other.text());
        }
        CHECK(other.requests()[0].field("X") == "y");
    }
    SUBCASE("a body that was posted") {
        for (const auto& [status, method] : {std::pair{"301 Moved", "GET"},
                                             {"302 Found", "GET"},
                                             {"303 See Other", "GET"},
                                             {"307 Temporary Redirect", "POST"},
                                             {"308 Permanent Redirect", "POST"}}) {
            const std::string line = status;
            const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
                return request.target() == "/" ? moved("/b", line.c_str()) : ok("here\n");
            }};
            CHECK(scenario.run({"webget", "-L", "-d", "data", server.url("/")}).status == 0);
            CHECK(server.requests().back().method() == method);
            CHECK(server.requests().back().body ==
                  (std::string_view{method} == "POST" ? "data" : ""));
        }
    }
    SUBCASE("into a file") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            return request.target() == "/name" ? moved("/other") : ok("here\n");
        }};
        CHECK(scenario.run({"webget", "-OL", server.url("/name")}).status == 0);
        CHECK(scenario.read_file("name") == "here\n");
    }
}
