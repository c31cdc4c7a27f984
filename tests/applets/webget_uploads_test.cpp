// Uploads. A server may answer before it has everything, while it reads, or because it does not
// want the rest. An upload has succeeded only when the server has the whole body.
#include "core/io.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <array>
#include <atomic>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <semaphore>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// More than the buffers of both sides can hold.
constexpr std::size_t size = 24'000'000;

const std::string& big() {
    static const std::string text = numbered_text(size);
    return text;
}

// The head of the next request. The bytes that came after it are in REST.
std::string read_head(const Fd& client, std::string& rest) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
        std::array<std::byte, 4096> piece{};
        const auto got = read_some(client.get(), piece, "a client");
        if (got == 0) return {};
        text.append(reinterpret_cast<const char*>(piece.data()), got);
    }
    const auto end = text.find("\r\n\r\n") + 4;
    rest = text.substr(end);
    return text.substr(0, end);
}

// Reads until the body has SIZE bytes. False when the client has gone before.
bool read_body(const Fd& client, std::size_t begun, std::size_t wanted = size) {
    std::vector<std::byte> piece(256UL * 1024);
    for (std::size_t got = begun; got < wanted;) {
        const auto more = read_some(client.get(), piece, "a client");
        if (more == 0) return false;
        got += more;
    }
    return true;
}

struct Upload {
    const char* what;
    Words options;
};
const std::vector<Upload>& uploads() {
    static const std::vector<Upload> all{{"a file", {"-T", "big"}},
                                         {"data", {"--data-binary", "@big"}},
                                         {"standard input", {"-T", "-"}}};
    return all;
}

// Uploads to a server that does WORK. A pipe feeds -T -.
Result upload(Scenario& scenario, const Words& options, const std::string& server) {
    std::string line = "webget";
    for (const auto& word : options)
        line += " '" + word + "'";
    return scenario.shell("cat big | " + line + " \"$1\"", {"http://" + server + "/"});
}

} // namespace

TEST_CASE("an interim answer does not end an upload") {
    Scenario scenario;
    scenario.write_file("big", big());
    for (const char* const interim :
         {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n",
          "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"})
        for (const auto& way : uploads()) {
            const auto& what = way.what;
            const auto& options = way.options;
            CAPTURE(what);
            std::atomic<bool> is_whole = false;
            const Peer server{[&](const Fd& client) {
                say(client, interim);
                std::string rest;
                const auto head = read_head(client, rest);
                is_whole = read_body(client, rest.size());
                say(client, ok("done"));
            }};
            const auto result = upload(scenario, options, server.text());
            CHECK(result.status == 0);
            CHECK(result.out == "done");
            CHECK(is_whole);
        }
}

TEST_CASE("a server that is asked for 100 Continue gets the body in any case") {
    Scenario scenario;
    scenario.write_file("big", big());
    const Words options{"-H", "Expect: 100-continue", "-T", "big"};
    SUBCASE("it answers 100 Continue") {
        std::atomic<bool> was_held = false;
        const Peer server{[&](const Fd& client) {
            std::string rest;
            const auto head = read_head(client, rest);
            was_held = rest.empty();
            say(client, "HTTP/1.1 100 Continue\r\n\r\n");
            if (read_body(client, rest.size())) say(client, ok("done"));
        }};
        CHECK(upload(scenario, options, server.text()).out == "done");
        CHECK(was_held);
    }
    SUBCASE("it does not know 100 Continue") {
        const Peer server{[&](const Fd& client) {
            std::string rest;
            const auto head = read_head(client, rest);
            if (read_body(client, rest.size())) say(client, ok("done"));
        }};
        CHECK(upload(scenario, options, server.text()).out == "done");
    }
    SUBCASE("it answers 417") {
        const Peer server{[&](const Fd& client) {
            std::string rest;
            const auto head = read_head(client, rest);
            if (head.find("Expect:") != std::string::npos)
                say(client, answer("417 Expectation Failed"));
            else if (read_body(client, rest.size()))
                say(client, ok("done"));
        }};
        CHECK(upload(scenario, options, server.text()).out == "done");
    }
    SUBCASE("it refuses the request") {
        std::atomic<bool> got_body = false;
        const Peer server{[&](const Fd& client) {
            std::string rest;
            const auto head = read_head(client, rest);
            say(client, answer("413 Too Large", "", "no\n"));
            std::array<std::byte, 16> piece{};
            got_body = !rest.empty() || read_some(client.get(), piece, "a client") > 0;
        }};
        const auto result = upload(scenario, options, server.text());
        CHECK(result.status == 22);
        CHECK_FALSE(got_body);
    }
}

TEST_CASE("an early success does not end an upload") {
    Scenario scenario;
    scenario.write_file("big", big());
    for (const auto& way : uploads()) {
        const auto& what = way.what;
        const auto& options = way.options;
        CAPTURE(what);
        std::atomic<bool> is_whole = false;
        const auto serve = [&](const std::string& bytes) {
            is_whole = false;
            const Peer server{[&](const Fd& client) {
                std::string rest;
                const auto head = read_head(client, rest);
                say(client, bytes);
                // In chunks, a body has more bytes than its content.
                is_whole = read_body(client, rest.size());
                if (head.find("chunked") != std::string::npos)
                    while (rest.find("0\r\n\r\n") == std::string::npos) {
                        std::array<std::byte, 4096> piece{};
                        const auto got = read_some(client.get(), piece, "a client");
                        if (got == 0) break;
                        rest.assign(reinterpret_cast<const char*>(piece.data()), got);
                    }
            }};
            const auto result = upload(scenario, options, server.text());
            CHECK(result.status == 0);
            return result.out;
        };
        CHECK(serve(answer("202 Accepted", "", "early\n")) == "early\n");
        CHECK(is_whole);
        CHECK(serve("HTTP/1.1 204 No Content\r\n\r\n").empty());
        CHECK(is_whole);
        CHECK(
            serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n0\r\n\r\n") ==
            "early");
        CHECK(is_whole);
    }
}

TEST_CASE("an early success is none when the server goes before it has everything") {
    Scenario scenario;
    scenario.write_file("big", big());
    for (const auto& way : uploads()) {
        const auto& what = way.what;
        const auto& options = way.options;
        CAPTURE(what);
        const Peer server{[](const Fd& client) {
            std::string rest;
            (void)read_head(client, rest);
            say(client, answer("200 OK", "Connection: close\r\n", "early\n"));
            (void)read_body(client, 0, 1'000'000);
            reset_when_closed(client);
        }};
        const auto result = upload(scenario, options, server.text());
        CHECK(result.status != 0);
        CHECK((result.status == 55 || result.status == 56));
    }
}

TEST_CASE("a reset during an upload is called a reset") {
    Scenario scenario;
    scenario.write_file("big", big());
    const Peer server{[](const Fd& client) {
        std::string rest;
        (void)read_head(client, rest);
        reset_when_closed(client);
    }};
    const auto result = scenario.run({"webget", "-T", "big", "http://" + server.text() + "/"});
    CHECK((result.status == 55 || result.status == 56)); // whichever call found it
    CHECK(result.err.find("without an answer") == std::string::npos);
}

TEST_CASE("a refusal ends an upload at once") {
    Scenario scenario;
    scenario.write_file("big", big());
    for (const auto& way : uploads()) {
        const auto& what = way.what;
        const auto& options = way.options;
        CAPTURE(what);
        std::binary_semaphore over{0};
        const Peer refusing{[&over](const Fd& client) {
            std::string rest;
            (void)read_head(client, rest);
            say(client, answer("413 Too Large", "", "too large\n"));
            // The server has stopped reading, so it cannot see that the client ends after the
            // unread bytes.
            (void)over.try_acquire_for(std::chrono::seconds{30});
        }};
        const auto result = upload(scenario, options, refusing.text());
        over.release();
        CHECK(result.status == 22);
        CHECK(result.err.find("too large\n") != std::string::npos);
    }
}

TEST_CASE("an answer is read while the request is sent") {
    Scenario scenario;
    scenario.write_file("big", big());
    const Peer server{[](const Fd& client) {
        std::string rest;
        (void)read_head(client, rest);
        say(client, fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", size, rest));
        echo(client);
    }};
    for (const char* const option : {"-T", "--data-binary"}) {
        const std::string file = option == std::string_view{"-T"} ? "big" : "@big";
        CHECK(scenario.run({"webget", "-o", "f", option, file, "http://" + server.text() + "/"})
                  .status == 0);
        CHECK(scenario.read_file("f") == big());
        const auto printed =
            scenario.run({"webget", option, file, "http://" + server.text() + "/"});
        CHECK(printed.status == 0);
        CHECK(printed.out == big());
    }
}

TEST_CASE("the user may choose how a body is framed, once") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        const bool is_chunked = !request.field("Transfer-Encoding").empty();
        return ok(is_chunked ? request.content() : request.body);
    }};
    const auto url = server.url("/");
    CHECK(scenario.run({"webget", "-H", "Transfer-Encoding: chunked", "-d", "x", url}).out == "x");
    CHECK(server.requests().back().field("Transfer-Encoding") == "chunked");
    CHECK(server.requests().back().field("Content-Length").empty());
    scenario.write_file("file", "text");
    CHECK(scenario.run({"webget", "-H", "transfer-encoding: chunked", "-T", "file", url}).out ==
          "text");
    CHECK(scenario.run({"webget", "-H", "Content-Length: 4", "-T", "-", url}, "text").status == 0);
    CHECK(server.requests().back().body == "text");
    for (const Words& refused : std::vector<Words>{
             {"-H", "Transfer-Encoding: gzip", "-d", "x"},
             {"-H", "Transfer-Encoding: chunked", "-H", "Content-Length: 1", "-d", "x"},
             {"-H", "Content-Length: 2", "-d", "x"},
             {"-0", "-H", "Transfer-Encoding: chunked", "-d", "x"}}) {
        Words words{"webget"};
        words.insert(words.end(), refused.begin(), refused.end());
        words.push_back(url);
        const auto result = scenario.run(words);
        CHECK(result.status == 55);
        CHECK(result.err.find("cannot send the body: ") != std::string::npos);
    }
    CHECK(server.requests().size() == 3);
    // Standard input does not have this length.
    CHECK(scenario.run({"webget", "-H", "Content-Length: 9", "-T", "-", url}, "text").status == 26);
}

TEST_CASE("a redirect of an upload sends it again") {
    Scenario scenario;
    scenario.write_file("file", "text");
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/x") return answer("307 Elsewhere", "Location: /there\r\n");
        return ok("done");
    }};
    CHECK(scenario.run({"webget", "-L", "-T", "file", server.url("/x")}).status == 0);
    CHECK(server.requests().back().body == "text");
    // If standard input is a file, webget can read it again.
    CHECK(scenario.shell("webget -L -T - \"$1\" <file", {server.url("/x")}).status == 0);
    CHECK(server.requests().back().content() == "text");
}

TEST_CASE("a pipe is not sent to a second document, or as a second part, which would be empty") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) -> HttpAnswer { return ok("done"); }};
    const auto refused = [&](const std::string& command, std::string_view pipe) {
        const auto result =
            scenario.run({"sh", "-c", command, "sh", server.url("/a"), server.url("/b")});
        CHECK(result.status == 2);
        CHECK(result.err == fmt::format("webget: cannot send {} more than once: store it in a file "
                                        "first (see webget --help)\n",
                                        pipe));
    };
    const std::string standard_input = "standard input";
    refused("echo x | webget -T - \"$@\"", standard_input);
    refused("echo x | webget -F a=@- \"$@\"", standard_input);
    refused("echo x | webget -F 'a=<-' -F b=@- \"$1\"", standard_input);
    refused("echo x | webget -T /dev/fd/0 \"$@\"", "/dev/fd/0");
    CHECK(server.requests().empty());

    scenario.write_file("file", "x");
    CHECK(scenario.run({"webget", "-T", "file", server.url("/a"), server.url("/b")}).status == 0);
    CHECK(scenario.run({"webget", "-F", "a=@file", "-F", "b=@file", server.url("/c")}).status == 0);
    CHECK(server.targets() == "/a /b /c");
}
