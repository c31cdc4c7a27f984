// Documents that become files: each as a whole or not at all, and continued after a broken
// transfer.
#include "download/part_name.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view etag = "ETag: \"v1\"\r\n";

// The response of a server that has TEXT in this version: all of it, or the part that was asked
// for.
std::string whole_or_rest(const HttpRequest& request, const std::string& text,
                          const std::string& version) {
    const auto fields = fmt::format("ETag: {}\r\n", version);
    const auto range = request.field("Range");
    if (range.empty() || request.field("If-Range") != version) return ok(text, fields);
    const auto first = std::stoul(range.substr(std::string{"bytes="}.size()));
    if (first >= text.size())
        return answer("416 Range Not Satisfiable",
                      fmt::format("Content-Range: bytes */{}\r\n", text.size()));
    return answer("206 Partial Content",
                  fields + fmt::format("Content-Range: bytes {}-{}/{}\r\n", first, text.size() - 1,
                                       text.size()),
                  text.substr(first));
}

// MESSAGE with only the first SIZE bytes of its body.
std::string cut(const std::string& message, std::size_t size) {
    return message.substr(0, message.find("\r\n\r\n") + 4 + size);
}

// A server that cuts off its first answer.
HttpPeer::Answers breaks_off_once(const std::string& text, std::size_t after, Then then) {
    return [=, first = std::make_shared<std::atomic<bool>>(true)](
               const HttpRequest& request) -> HttpAnswer {
        const auto all = whole_or_rest(request, text, "\"v1\"");
        if (first->exchange(false)) return {cut(all, after), then};
        return all;
    };
}

HttpPeer::Answers always(const std::string& bytes, Then then = Then::keep) {
    return [bytes, then](const HttpRequest&) -> HttpAnswer { return {bytes, then}; };
}

// The temporary files of the document that will be "f".
const std::string part = part_of("f");
const std::string state = download::part_names("f", download::tail_for("f")).state;
// The state that a transfer leaves beside a part of TEXT.
std::string state_text(const std::string& url, const std::string& tag,
                       const std::string& size = "unknown") {
    return fmt::format("{}\netag {}\nlast-modified \nsize {}\n", url, tag, size);
}

// The names in the working directory, sorted: "a b".
std::string files(const Scenario& scenario) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{scenario.path("")})
        names.push_back(entry.path().filename());
    std::ranges::sort(names);
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : " ") + name;
    return text;
}

} // namespace

TEST_CASE("a document becomes a file") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target(), etag); }};
    CHECK(scenario.run({"webget", "-o", "f", server.url("/a")}).out.empty());
    CHECK(scenario.read_file("f") == "/a");
    CHECK(scenario.run({"webget", "-O", server.url("/dir/b%20c?x=1"), server.url("/d")}).status ==
          0);
    CHECK(scenario.read_file("b c") == "/dir/b%20c?x=1");
    CHECK(scenario.run({"webget", "-o", "-", "-o", "g", server.url("/e"), server.url("/g")}).out ==
          "/e");
    CHECK(files(scenario) == "b c d f g");
    CHECK(scenario.run({"webget", "-i", "-o", "f", server.url("/h")}).status == 0);
    CHECK(scenario.read_file("f") == ok("/h", etag));
    const auto nameless = scenario.run({"webget", "-O", server.url("/dir/")});
    CHECK(nameless.status == 23);
    CHECK(nameless.err ==
          fmt::format("webget: cannot name a file after {}: use -o\n", server.url("/dir/")));
}

TEST_CASE("options decide where a file goes") {
    Scenario scenario;
    const HttpPeer server{always(ok("new"))};
    const auto url = server.url("/f");
    CHECK(scenario.run({"webget", "--output-dir", "deep/er", "--create-dirs", "-O", url}).status ==
          0);
    CHECK(scenario.read_file("deep/er/f") == "new");
    CHECK(scenario.run({"webget", "--create-dirs", "-o", "a/b", url}).status == 0);
    CHECK(scenario.run({"webget", "--create-dirs", "-o", "a/b/c", url}).status == 23);
    CHECK(scenario.exists("a/b"));
    auto result = scenario.run({"webget", "-o", "absent/f", url});
    CHECK(result.status == 23);
    CHECK(result.err ==
          fmt::format("webget: {}: cannot write absent/f: No such file or directory\n", url));
    scenario.write_file("f", "old");
    CHECK(scenario.run({"webget", "--no-clobber", "-O", url}).status == 0);
    CHECK(scenario.run({"webget", "--no-clobber", "-O", url}).status == 0);
    CHECK(scenario.read_file("f") == "old");
    CHECK(scenario.read_file("f.2") == "new");
    CHECK(files(scenario) == "a deep f f.1 f.2");
}

TEST_CASE("a link stays, and so do permissions") {
    Scenario scenario;
    const HttpPeer server{always(ok("new"))};
    std::filesystem::create_directory("there");
    scenario.write_file("there/file", "old");
    std::filesystem::permissions("there/file", std::filesystem::perms{0640});
    std::filesystem::create_symlink("there/file", "link");
    CHECK(scenario.run({"webget", "-o", "link", server.url("/")}).status == 0);
    CHECK(std::filesystem::is_symlink("link"));
    CHECK(scenario.read_file("there/file") == "new");
    CHECK(std::filesystem::status("there/file").permissions() == std::filesystem::perms{0640});
    CHECK(files(scenario) == "link there");
}

TEST_CASE("devices and FIFOs are written as they are") {
    Scenario scenario;
    const HttpPeer server{always(ok("hello\n"))};
    CHECK(scenario.run({"webget", "-o", "/dev/null", server.url("/")}).status == 0);
    const auto full = scenario.run({"webget", "-o", "/dev/full", server.url("/")});
    CHECK(full.status == 23);
    CHECK(full.err == fmt::format("webget: {}: cannot write /dev/full: No space left on device\n",
                                  server.url("/")));
    CHECK(scenario.shell("mkfifo f; cat f & webget -o f $1 && wait", {server.url("/")}).out ==
          "hello\n");
    CHECK(files(scenario) == "f");
}

TEST_CASE("an error never touches a file") {
    Scenario scenario;
    scenario.write_file("f", "kept");
    for (const char* const option : {"-s", "-f", "--fail-with-body"})
        for (const char* const status : {"404 Not Found", "500 Oops", "301 Moved"}) {
            const HttpPeer server{
                always(answer(status, "Location: /elsewhere\r\n", "not the document"))};
            const auto result = scenario.run({"webget", option, "-o", "f", server.url("/")});
            CHECK(result.status == 22);
            CHECK(scenario.read_file("f") == "kept");
            CHECK(files(scenario) == "f");
        }
}

TEST_CASE("a cut transfer leaves its part only, and goes on from there") {
    Scenario scenario;
    const auto text = numbered_text(50'000);
    scenario.write_file("f", "old");
    for (const auto then : {Then::close, Then::reset}) {
        const HttpPeer server{breaks_off_once(text, 30'000, then)};
        const auto url = server.url("/f");
        auto result = scenario.run({"webget", "-O", url});
        CHECK(result.status == (then == Then::close ? 18 : 56));
        CHECK(result.err == fmt::format("webget: {}: {}\n", url,
                                        then == Then::close
                                            ? "the body ended too early: 20000 bytes are missing"
                                            : "the connection broke: Connection reset by peer"));
        CHECK(files(scenario) == fmt::format("f {} {}", part, state));
        CHECK(scenario.read_file(part) == text.substr(0, 30'000));
        CHECK(scenario.read_file(state) == state_text(url, "\"v1\"", "50000"));
        CHECK(scenario.read_file("f") == "old");

        result = scenario.run({"webget", "-v", "-O", "-C", "-", url});
        CHECK(result.status == 0);
        CHECK(result.err.find("20000 bytes from 30000 on") != std::string::npos);
        CHECK(server.requests().back().field("Range") == "bytes=30000-");
        CHECK(server.requests().back().field("If-Range") == "\"v1\"");
        CHECK(scenario.read_file("f") == text);
        CHECK(files(scenario) == "f");
        scenario.write_file("f", "old");
    }
}

TEST_CASE("two versions are never put together") {
    Scenario scenario;
    const auto text = numbered_text(1000);
    SUBCASE("the document has changed") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            return whole_or_rest(request, "new " + text, "\"v2\"");
        }};
        const auto url = server.url("/");
        scenario.write_file(part, ("old " + text).substr(0, 500));
        scenario.write_file(state, state_text(url, "\"v1\""));
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/")}).status == 0);
        CHECK(server.requests().back().field("Range") == "bytes=500-");
        CHECK(scenario.read_file("f") == "new " + text);
    }
    SUBCASE("another document under the same name") {
        const HttpPeer server{breaks_off_once(text, 500, Then::close)};
        CHECK(scenario.run({"webget", "-o", "f", server.url("/a")}).status == 18);
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/b")}).status == 0);
        CHECK(server.requests().back().field("Range").empty());
    }
    SUBCASE("a new document without -C") {
        const HttpPeer server{breaks_off_once(text, 500, Then::close)};
        CHECK(scenario.run({"webget", "-o", "f", server.url("/a")}).status == 18);
        CHECK(scenario.run({"webget", "-o", "f", server.url("/a")}).status == 0);
        CHECK(server.requests().back().field("Range").empty());
    }
    SUBCASE("a document without a version cannot be continued") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.connection == 0) return {cut(ok(text), 500), Then::close};
            return ok(text);
        }};
        CHECK(scenario.run({"webget", "-o", "f", server.url("/a")}).status == 18);
        CHECK(scenario.exists(part));
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/a")}).status == 0);
        CHECK(server.requests().back().field("Range").empty());
    }
    SUBCASE("a server that sends another part than the one asked for") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.connection == 0) return {cut(ok(text, etag), 500), Then::close};
            if (request.field("Range").empty()) return ok(text, etag);
            return answer("206 Partial Content", "Content-Range: bytes 400-999/1000\r\n",
                          text.substr(400));
        }};
        CHECK(scenario
                  .run({"webget", "--retry", "1", "--retry-delay", "0.01", "-o", "f",
                        server.url("/a")})
                  .status == 0);
        CHECK(server.requests().size() == 3);
    }
    if (scenario.exists("f")) CHECK(scenario.read_file("f").ends_with(text));
    CHECK(files(scenario) == "f");
}

TEST_CASE("a complete part and a complete file are not fetched again") {
    Scenario scenario;
    const auto text = numbered_text(1000);
    const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
        const auto range = request.field("Range");
        if (range == "bytes=1000-")
            return answer("416 Range Not Satisfiable", "Content-Range: bytes */1000\r\n");
        return whole_or_rest(request, text, "\"v1\"");
    }};
    const auto url = server.url("/f");
    scenario.write_file(part, text);
    scenario.write_file(state, state_text(url, "\"v1\"", "1000"));
    CHECK(scenario.run({"webget", "-C", "-", "-O", url}).status == 0);
    CHECK(scenario.read_file("f") == text);
    const auto again = scenario.run({"webget", "-C", "-", "-O", url});
    CHECK(again.status == 0);
    CHECK(again.err.empty());
    CHECK(scenario.read_file("f") == text);
    CHECK(files(scenario) == "f");
    CHECK(server.requests().size() == 2);
}

TEST_CASE("a file that another tool left unfinished") {
    Scenario scenario;
    const auto text = numbered_text(1000);
    const std::string date = "Sat, 31 Jan 2026 00:00:00 GMT";
    SUBCASE("is continued if the document is not newer") {
        const HttpPeer server{
            always(answer("206 Partial Content",
                          "Last-Modified: " + date + "\r\nContent-Range: bytes 400-999/1000\r\n",
                          text.substr(400)))};
        scenario.write_file("f", text.substr(0, 400));
        CHECK(scenario.run({"webget", "-C", "-", "-O", server.url("/f")}).status == 0);
        CHECK(server.requests().front().field("Range") == "bytes=400-");
        CHECK_FALSE(server.requests().front().field("If-Unmodified-Since").empty());
    }
    SUBCASE("is started again if the document is newer") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (!request.field("Range").empty()) return answer("412 Precondition Failed");
            return ok(text);
        }};
        scenario.write_file("f", "something else");
        CHECK(scenario.run({"webget", "-C", "-", "-O", server.url("/f")}).status == 0);
        CHECK(server.requests().size() == 2);
    }
    SUBCASE("is started again if the date of the document is unknown") {
        const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
            if (request.field("Range").empty()) return ok(text);
            return answer("206 Partial Content", "Content-Range: bytes 400-999/1000\r\n",
                          text.substr(400));
        }};
        scenario.write_file("f", std::string(400, 'x'));
        CHECK(scenario.run({"webget", "-C", "-", "-O", server.url("/f")}).status == 0);
    }
    SUBCASE("a server without ranges") {
        const HttpPeer server{always(ok(text))};
        scenario.write_file("f", text.substr(0, 400));
        CHECK(scenario.run({"webget", "-C", "-", "-O", server.url("/f")}).status == 0);
    }
    CHECK(scenario.read_file("f") == text);
    CHECK(files(scenario) == "f");
}

TEST_CASE("--retry goes on where it broke off") {
    Scenario scenario;
    const auto text = numbered_text(10'000);
    for (const auto then : {Then::close, Then::reset}) {
        const HttpPeer server{breaks_off_once(text, 3000, then)};
        const Words retry{"webget", "-sS", "--retry", "3", "--retry-delay", "0.01"};
        SUBCASE("into a file") {
            auto words = retry;
            words.insert(words.end(), {"-O", server.url("/f")});
            const auto result = scenario.run(words);
            CHECK(result.status == 0);
            CHECK(result.err.empty());
            CHECK(scenario.read_file("f") == text);
            CHECK(files(scenario) == "f");
        }
        SUBCASE("to standard output") {
            auto words = retry;
            words.push_back(server.url("/f"));
            const auto result = scenario.run(words);
            CHECK(result.status == 0);
            CHECK(result.out == text);
        }
        CHECK(server.requests().size() == 2);
        CHECK(server.requests().back().field("Range") == "bytes=3000-");
        CHECK(server.requests().back().field("If-Range") == "\"v1\"");
    }
}

TEST_CASE("standard output cannot be taken back") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.connection == 0) return {cut(ok("old text", etag), 3), Then::close};
        return ok("new text", "ETag: \"v2\"\r\n");
    }};
    const auto result =
        scenario.run({"webget", "--retry", "3", "--retry-delay", "0.01", server.url("/")});
    CHECK(result.status == 33);
    CHECK(result.out == "old");
    CHECK(result.err == fmt::format("webget: {}: cannot begin anew: standard output has its first "
                                    "bytes already\n",
                                    server.url("/")));
}

TEST_CASE("a failure that may pass is tried again") {
    Scenario scenario;
    SUBCASE("until it succeeds") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            if (request.number == 0) return answer("503 Busy", "", "one moment");
            if (request.number == 1) return answer("429 Slow", "Retry-After: 0\r\n");
            return ok("at last\n");
        }};
        const auto result = scenario.run({"webget", "--retry", "5", "--retry-delay", "0.01", "-w",
                                          "%{num_retries}", server.url("/")});
        CHECK(result.status == 0);
        CHECK(result.out == "at last\n2");
        CHECK(result.err.empty());
        CHECK(server.requests().size() == 3);
    }
    SUBCASE("but only --retry times") {
        const HttpPeer server{always(answer("503 Busy", "", "one moment\n"))};
        const auto result =
            scenario.run({"webget", "--retry", "2", "--retry-delay", "0.01", server.url("/")});
        CHECK(result.status == 22);
        CHECK(result.err == fmt::format("one moment\nwebget: {}: 503 Busy\n", server.url("/")));
        CHECK(server.requests().size() == 3);
    }
    SUBCASE("but not a failure that will not pass") {
        const HttpPeer server{always(answer("404 Not Found"))};
        CHECK(scenario.run({"webget", "--retry", "2", server.url("/")}).status == 22);
        CHECK(server.requests().size() == 1);
    }
    SUBCASE("but not if the server asks for more time than is left") {
        const HttpPeer server{always(answer("503 Busy", "Retry-After: 1000\r\n", "one moment\n"))};
        for (const char* const limit : {"--retry-max-time", "-m"}) {
            const auto result =
                scenario.run({"webget", "--retry", "2", limit, "10", "-s", server.url("/")});
            CHECK(result.status == 22);
            CHECK(result.err == "one moment\n");
        }
        CHECK(server.requests().size() == 2);
    }
    SUBCASE("a server that is not there yet") {
        const RefusedPort port;
        const auto url = fmt::format("http://127.0.0.1:{}/", port.number());
        auto early = scenario.start({"webget", "--retry", "1000", "--retry-delay", "0.01", url});
        CHECK(early.is_running());
        const Fd& listener = port.listen();
        const Fd client = Fd::adopt(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        REQUIRE(HttpReader{client}.next());
        say(client, ok("here\n"));
        CHECK(early.wait().out == "here\n");
    }
    SUBCASE("but not a request that the server may have executed") {
        const HttpPeer server{always("", Then::close)};
        const Words words{"webget", "-s", "--retry", "2", "--retry-delay", "0.01", server.url("/")};
        CHECK(scenario.run(words).status == 52);
        CHECK(server.requests().size() == 3);
        auto posting = words;
        posting.insert(posting.begin() + 1, {"-d", "x"});
        CHECK(scenario.run(posting).status == 52);
        CHECK(server.requests().size() == 3 + 1);
    }
    SUBCASE("standard input is sent once") {
        const HttpPeer server{always(answer("503 Busy"))};
        const auto result = scenario.run(
            {"webget", "--retry", "2", "--retry-delay", "0.01", "-T", "-", server.url("/")},
            "text");
        CHECK(result.status == 55);
        CHECK(result.err ==
              fmt::format("webget: {}: standard input was sent already, and cannot be read again\n",
                          server.url("/")));
    }
}

TEST_CASE("a webget that is ended leaves a part that can be resumed") {
    Scenario scenario;
    const auto text = numbered_text(50'000);
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        const HttpPeer server{breaks_off_once(text, 30'000, Then::stay)};
        auto stuck = scenario.start({"webget", "-O", server.url("/f")});
        CHECK(eventually(
            [&] { return scenario.exists(part) && scenario.read_file(part).size() == 30'000; }));
        stuck.kill(signal);
        CHECK(stuck.wait().status == 128 + signal);
        CHECK(files(scenario) == fmt::format("{} {}", part, state));
        CHECK(scenario.run({"webget", "-C", "-", "-O", server.url("/f")}).status == 0);
        CHECK(server.requests().back().field("Range") == "bytes=30000-");
        CHECK(scenario.read_file("f") == text);
        CHECK(files(scenario) == "f");
        std::filesystem::remove("f");
    }
}

TEST_CASE("a file that another webget is writing is refused") {
    Scenario scenario;
    const HttpPeer server{breaks_off_once("text", 2, Then::stay)};
    auto first = scenario.start({"webget", "-O", server.url("/f")});
    CHECK(
        eventually([&] { return scenario.exists(part) && scenario.read_file(part).size() == 2; }));
    const auto second = scenario.run({"webget", "-O", server.url("/f")});
    CHECK(second.status == 23);
    CHECK(second.err == fmt::format("webget: {}: cannot write f: another process is writing {}\n",
                                    server.url("/f"), part));
    CHECK(scenario.read_file(part) == "te");
    CHECK(files(scenario) == fmt::format("{} {}", part, state));
}

TEST_CASE("a checksum decides whether a document becomes a file") {
    Scenario scenario;
    const HttpPeer server{always(ok("hello\n", etag))};
    const auto url = server.url("/f");
    const std::string sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const auto wrong = std::string(64, '0');
    CHECK(scenario.run({"webget", "-O", "--checksum", "sha256:" + sha256, url}).status == 0);
    CHECK(scenario.read_file("f") == "hello\n");
    scenario.write_file("f", "old");
    auto result = scenario.run({"webget", "-O", "--checksum", "sha256:" + wrong, url});
    CHECK(result.status == 102);
    CHECK(result.err == fmt::format("webget: {}: the checksum is wrong: the sha256 is "
                                    "{}, not {}\n",
                                    url, sha256, wrong));
    CHECK(scenario.read_file("f") == "old");
    CHECK(files(scenario) == "f");
    scenario.write_file("SUMS", fmt::format("{}  other\n{} *f\n", wrong, sha256));
    CHECK(scenario.run({"webget", "-O", "--checksum", "SUMS", url}).status == 0);
    CHECK(scenario.read_file("f") == "hello\n");
    result = scenario.run({"webget", "-O", "--checksum", "SUMS", server.url("/g")});
    CHECK(result.status == 102);
    CHECK(result.err == "webget: cannot check g: it is not in SUMS\n");
    CHECK(scenario.run({"webget", "-O", "--checksum", "sha256:12", url}).status == 2);
    CHECK(files(scenario) == "SUMS f");

    SUBCASE("of a document that came in two parts") {
        const HttpPeer breaking{breaks_off_once("hello\n", 3, Then::close)};
        CHECK(scenario.run({"webget", "-o", "g", breaking.url("/")}).status == 18);
        CHECK(scenario
                  .run({"webget", "-C", "-", "-o", "g", "--checksum", "sha256:" + sha256,
                        breaking.url("/")})
                  .status == 0);
        CHECK(breaking.requests().back().field("Range") == "bytes=3-");
        CHECK(scenario.read_file("g") == "hello\n");
    }
}

TEST_CASE("--max-size refuses a document that is larger") {
    Scenario scenario;
    const auto error = [](const HttpPeer& server) {
        return fmt::format("webget: {}: the document has more than 5 bytes\n", server.url("/"));
    };
    SUBCASE("if the server announces its size") {
        const HttpPeer server{always(ok("hello\n"))};
        const auto result = scenario.run({"webget", "--max-size", "5", "-o", "f", server.url("/")});
        CHECK(result.status == 63);
        CHECK(result.err == error(server));
        CHECK(scenario.run({"webget", "--max-size", "6", "-o", "f", server.url("/")}).status == 0);
        CHECK(files(scenario) == "f");
    }
    SUBCASE("if the server does not announce its size") {
        const HttpPeer server{always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "5\r\nhello\r\n1\r\n\n\r\n0\r\n\r\n")};
        const auto result = scenario.run({"webget", "--max-size", "5", "-o", "f", server.url("/")});
        CHECK(result.status == 63);
        CHECK(result.err == error(server));
        CHECK_FALSE(scenario.exists("f"));
        const auto printed = scenario.run({"webget", "--max-size", "5", server.url("/")});
        CHECK(printed.status == 63);
        CHECK(printed.out == "hello");
    }
}

TEST_CASE("a place that cannot be written to is an error") {
    Scenario scenario;
    const HttpPeer server{always(ok("hello\n"))};
    const auto url = server.url("/");
    auto result = scenario.shell("webget $1 >/dev/full", {url});
    CHECK(result.status == 23);
    CHECK(result.err.find("cannot write standard output: No space left on device\n") !=
          std::string::npos);
    result = scenario.shell("webget $1 >&-", {url});
    CHECK(result.status == 23);
    CHECK(result.err.find("cannot write standard output") != std::string::npos);
    std::filesystem::create_directory("directory");
    result = scenario.run({"webget", "-o", "directory", url});
    CHECK(result.status == 23);
    CHECK(result.err == fmt::format("webget: {}: cannot open directory: Is a directory\n", url));
    if (::geteuid() != 0) {
        std::filesystem::permissions("directory", std::filesystem::perms::owner_read);
        result = scenario.run({"webget", "-o", "directory/f", url});
        CHECK(result.status == 23);
        CHECK(result.err.ends_with("Permission denied\n"));
        std::filesystem::permissions("directory", std::filesystem::perms::owner_all);
    }
    CHECK(files(scenario) == "directory");
}

TEST_CASE("a file that its owner made read-only stays, and the server is not asked") {
    Scenario scenario;
    const HttpPeer server{always(ok("new\n"))};
    scenario.write_file("f", "old");
    std::filesystem::permissions("f", std::filesystem::perms{0444});
    // root may write to any file, unless it has given up that right.
    Words command{"webget", "-o", "f", server.url("/")};
    if (::geteuid() == 0)
        command.insert(command.begin(), {"setpriv", "--bounding-set=-dac_override"});
    const auto result = scenario.run(command);
    CHECK(result.status == 23);
    CHECK(result.err ==
          fmt::format("webget: {}: cannot write f: Permission denied\n", server.url("/")));
    CHECK(scenario.read_file("f") == "old");
    CHECK(files(scenario) == "f");
    CHECK(server.requests().empty());
}

TEST_CASE("a reader that leaves ends it as SIGPIPE does") {
    Scenario scenario;
    const HttpPeer server{always(ok(numbered_text(1000)))};
    Words words;
    for (int count = 0; count < 2000; ++count)
        words.push_back(server.url("/"));
    const auto result =
        scenario.shell("{ webget \"$@\"; echo $? >status; } | head -c 10 >/dev/null", words);
    CHECK(scenario.read_file("status") == "141\n");
    CHECK(server.requests().size() < 2000);
}

TEST_CASE("a file with the name of a part file is an ordinary file") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target(), etag); }};
    CHECK(scenario.run({"webget", "-O", server.url("/x.part"), server.url("/x")}).status == 0);
    CHECK(scenario.read_file("x.part") == "/x.part");
    CHECK(scenario.read_file("x") == "/x");
    CHECK(scenario
              .run({"webget", "-Z", "-O", server.url("/a"), server.url("/a.part"),
                    server.url("/b.part"), server.url("/b"), server.url("/b.part.version")})
              .status == 0);
    for (const std::string name : {"a", "a.part", "b", "b.part", "b.part.version"})
        CHECK(scenario.read_file(name) == "/" + name);
    CHECK(files(scenario) == "a a.part b b.part b.part.version x x.part");
}

TEST_CASE("the user's own files of such names are left alone") {
    Scenario scenario;
    const HttpPeer server{always(ok("new", etag))};
    scenario.write_file("f.part", "mine");
    scenario.write_file("f.part.version", "mine");
    CHECK(scenario.run({"webget", "-o", "f", server.url("/")}).status == 0);
    CHECK(scenario.run({"webget", "-C", "-", "-o", "f", server.url("/")}).status == 0);
    CHECK(scenario.read_file("f.part") == "mine");
    CHECK(scenario.read_file("f.part.version") == "mine");
    std::filesystem::create_directories("g.part/x");
    CHECK(scenario.run({"webget", "-o", "g", server.url("/")}).status == 0);
    // Even the name of webget's own temporary file is in use.
    scenario.write_file(part, "mine");
    CHECK(scenario.run({"webget", "-o", "f", server.url("/")}).status == 0);
    CHECK(scenario.read_file(part) == "mine");
    std::filesystem::remove(part);
    std::filesystem::create_directory(part);
    CHECK(scenario.run({"webget", "-o", "f", server.url("/")}).status == 0);
    CHECK(scenario.read_file("f") == "new");
}

TEST_CASE("two documents cannot become one file, whatever it is called") {
    Scenario scenario;
    const HttpPeer server{always(ok("new"))};
    scenario.write_file("f", "old");
    std::filesystem::create_symlink("f", "link");
    std::filesystem::create_hard_link("f", "other");
    std::filesystem::create_directory("dir");
    for (const char* const name : {"f", "./f", "dir/../f", "link", "other"}) {
        const auto result =
            scenario.run({"webget", "-o", "f", "-o", name, server.url("/a"), server.url("/b")});
        CHECK(result.status == 2);
        CHECK(result.err.find("two documents have the same output file ") != std::string::npos);
    }
    CHECK(scenario
              .run({"webget", "-o", "new", "-o", "dir/../new", server.url("/a"), server.url("/b")})
              .status == 2);
    CHECK(server.requests().empty());
    CHECK(scenario.read_file("f") == "old");
    CHECK(scenario
              .run({"webget", "-o", "/dev/null", "-o", "/dev/null", server.url("/a"),
                    server.url("/b")})
              .status == 0);
}

TEST_CASE("a name that is too long costs its own document only") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target()); }};
    const auto result =
        scenario.run({"webget", "-O", server.url("/" + std::string(256, 'x')), server.url("/b")});
    CHECK(result.status == 23);
    CHECK(result.err.find("File name too long") != std::string::npos);
    CHECK(scenario.read_file("b") == "/b");
}

TEST_CASE("a name may be as long as the kernel allows") {
    Scenario scenario;
    const HttpPeer server{breaks_off_once("text", 2, Then::close)};
    const std::string longest(255, 'n');
    CHECK(scenario.run({"webget", "-o", longest, server.url("/")}).status == 18);
    CHECK(scenario.run({"webget", "-C", "-", "-o", longest, server.url("/")}).status == 0);
    CHECK(server.requests().back().field("Range") == "bytes=2-");
    CHECK(scenario.read_file(longest) == "text");
    for (std::size_t size = 235; size < 255; ++size)
        CHECK(scenario.run({"webget", "-o", std::string(size, 'x'), server.url("/")}).status == 0);
}

TEST_CASE("names of descriptors are the descriptors") {
    Scenario scenario;
    const HttpPeer server{always(ok("hello\n"))};
    const Words url{server.url("/")};
    for (const char* const name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
        CAPTURE(name);
        CHECK(scenario.shell(fmt::format("{{ echo a; webget -o {} $1; echo b; }} >out", name), url)
                  .status == 0);
        CHECK(scenario.read_file("out") == "a\nhello\nb\n");
    }
    CHECK(scenario.shell("{ echo a; webget -o /dev/fd/5 $1; echo b >&5; } 5>out", url).status == 0);
    CHECK(scenario.read_file("out") == "hello\nb\n");
    CHECK(scenario.shell("webget -o /dev/stderr $1", url).err == "hello\n");
    CHECK(scenario.shell("ln -s /dev/fd/1 link && webget -o link $1", url).out == "hello\n");
    CHECK(files(scenario) == "link out");
    CHECK(scenario.shell("webget -o /dev/fd/99 $1", url).status == 23);
}

TEST_CASE("a file that cannot be replaced is written in place") {
    Scenario scenario;
    const HttpPeer server{always(ok("new", etag))};
    scenario.write_file("f", "old and longer");
    SUBCASE("because it has other names") {
        std::filesystem::create_hard_link("f", "other");
        const auto result = scenario.run({"webget", "-v", "-o", "f", server.url("/")});
        CHECK(result.status == 0);
        CHECK(result.err.find("f was written in place") != std::string::npos);
        CHECK(scenario.read_file("other") == "new");
        CHECK(files(scenario) == "f other");
    }
    SUBCASE("because it is a mount") {
        scenario.write_file("source", "old and longer");
        const auto result =
            scenario.shell("unshare -rm sh -c 'mount --bind source f && webget -o f \"$1\"' sh $1",
                           {server.url("/")});
        if (result.err.find("unshare") == std::string::npos) {
            CHECK(result.status == 0);
            CHECK(scenario.read_file("source") == "new");
            CHECK(files(scenario) == "f source");
        }
    }
    SUBCASE("because its directory is not ours") {
        if (::geteuid() != 0) {
            std::filesystem::create_directory("d");
            std::filesystem::rename("f", "d/f");
            std::filesystem::permissions("d", std::filesystem::perms{0555});
            CHECK(scenario.run({"webget", "-o", "d/f", server.url("/")}).status == 0);
            CHECK(scenario.read_file("d/f") == "new");
            std::filesystem::permissions("d", std::filesystem::perms{0755});
        }
    }
    SUBCASE("and its owner stays") {
        if (::geteuid() == 0) {
            REQUIRE(::chown("f", 12345, 23456) == 0);
            std::filesystem::permissions("f", std::filesystem::perms{0604});
            CHECK(scenario.run({"webget", "-o", "f", server.url("/")}).status == 0);
            struct stat status {};
            REQUIRE(::stat("f", &status) == 0);
            CHECK(status.st_uid == 12345);
            CHECK(status.st_gid == 23456);
            CHECK((status.st_mode & 07777U) == 0604);
            CHECK(scenario.read_file("f") == "new");
        }
    }
}
