// An option of curl has the meaning that it has for curl, or is refused by name.
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

HttpAnswer greet(const HttpRequest& /*request*/) {
    return ok("hello\n");
}

HttpAnswer name_it(const HttpRequest& request) {
    return ok(request.target() + "\n");
}

// The only request that webget sends with these options.
HttpRequest request_of(Scenario& scenario, const Words& options, std::string_view path = "/x") {
    const HttpPeer server{greet};
    Words words{"webget"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.url(path));
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
    CHECK(std::ranges::count_if(result.err, [](char byte) { return byte == '\n'; }) == 1);
    return result.err;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("curl: a URL needs no scheme") {
    Scenario scenario;
    const HttpPeer server{name_it};
    const auto host = server.text();
    CHECK(scenario.run({"webget", host + "/a", host + "/b"}).out == "/a\n/b\n");
    CHECK(scenario.run({"webget", host + "?x", host + "/b"}).out == "/?x\n/b\n");
    CHECK(scenario.run({"webget", host + "#x", host + "/b"}).out == "/\n/b\n");
    CHECK(scenario.run({"webget", host}).out == "/\n");
    CHECK(scenario.run({"webget", "--url", host, host + "/b"}).out == "/\n/b\n");
    CHECK(scenario.run({"webget", host + "/a?u=http://b/"}).out == "/a?u=http://b/\n");
    // After a URL, each operand is a URL too, and never a document on the same host.
    CHECK(scenario.run({"webget", host + "?x", "/doc"}).status == 3);
    CHECK(scenario.run({"webget", host + "#x", "/doc"}).status == 3);
    // A host alone, followed by a document, is the form of the manual page.
    CHECK(scenario.run({"webget", host, "/doc"}).out == ok("/doc\n"));
    const auto secure = scenario.run({"webget", "--proto-default", "https", "127.0.0.1:1"});
    CHECK(secure.status == 7);
    CHECK(has(secure.err, "https://127.0.0.1:1/"));
}

TEST_CASE("curl: -J with -O is refused and names --remote-header-name") {
    Scenario scenario;
    CHECK(has(usage_error(scenario, {"-OJ", "http://a/b"}), "--remote-header-name"));
    CHECK(has(usage_error(scenario, {"-OJL", "http://a/b"}), "--remote-header-name"));
    CHECK(has(usage_error(scenario, {"--remote-header-name", "http://a/b"}), "needs -O"));
}

TEST_CASE("curl: --remote-header-name takes the server's name and replaces nothing") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/plain") return ok("plain\n");
        return ok("named\n", "Content-Disposition: attachment; filename=\"../dir/given.txt\"\r\n");
    }};
    const Words words{
        "webget", "-O", "--remote-header-name", "-w", "%{filename_effective}", server.url("/url")};
    auto result = scenario.run(words);
    CHECK(result.status == 0);
    CHECK(result.out == "given.txt");
    CHECK(scenario.read_file("given.txt") == "named\n");
    CHECK_FALSE(scenario.exists("url"));
    scenario.write_file("given.txt", "mine");
    result = scenario.run(words);
    CHECK(result.status == 23);
    CHECK(has(result.err, "cannot write given.txt"));
    CHECK(scenario.read_file("given.txt") == "mine");
    CHECK(scenario.run({"webget", "-O", "--remote-header-name", server.url("/plain")}).status == 0);
    CHECK(scenario.read_file("plain") == "plain\n");
}

TEST_CASE("curl: braces and brackets are several URLs") {
    Scenario scenario;
    const HttpPeer server{name_it};
    CHECK(scenario.run({"webget", server.url("/{a,b}/[1-2]")}).out == "/a/1\n/a/2\n/b/1\n/b/2\n");
    CHECK(scenario.run({"webget", "-o", "f_#1#2", server.url("/{a,b}/[1-2]")}).status == 0);
    CHECK(scenario.read_file("f_b2") == "/b/2\n");
    CHECK(
        scenario.run({"webget", "-w", "%{urlnum}\n", server.url("/[1-2]"), server.url("/c")}).out ==
        "/1\n0\n/2\n0\n/c\n1\n");
    CHECK(scenario.run({"webget", "-g", server.url("/[1-2]")}).out == "/[1-2]\n");
    const auto result = scenario.run({"webget", server.url("/[1-")});
    CHECK(result.status == 3);
    CHECK(has(result.err, "-g treats brackets as ordinary characters"));
    CHECK(has(usage_error(scenario, {"-o", "f", server.url("/[1-2]")}),
              "two documents have the same output file f"));
}

TEST_CASE("curl: -w takes its format from a file") {
    Scenario scenario;
    scenario.write_file("format", "%{http_code} \r\n%{method}\\n\n");
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-w", "@format", server.url("/")}).out == "hello\n200 GET\n");
    CHECK(scenario.run({"webget", "-w", "@-", server.url("/")}, "<%{http_code}>").out ==
          "hello\n<200>");
    CHECK(scenario.run({"webget", "-w", "@absent", server.url("/")}).status == 26);
    const auto result =
        scenario.run({"webget", "-o", "f", "-w",
                      "%{remote_ip} %{remote_port} %{num_connects} %{size_request}%{stderr}done",
                      server.url("/")});
    CHECK(result.out ==
          fmt::format("127.0.0.1 {} 1 {}", server.port(), server.requests().back().head.size()));
    CHECK(result.err == "done");
    const auto json = nlohmann::json::parse(
        scenario.run({"webget", "-s", "-o", "f", "-w", "%{json}", server.url("/")}).out);
    CHECK(json["http_code"] == 200);
    CHECK(json["remote_ip"] == "127.0.0.1");
}

TEST_CASE("curl: -iL and -IL print all heads on the way, and -D writes them") {
    Scenario scenario;
    const auto moved = answer("302 Found", "Location: /end\r\n", "it moved\n");
    const auto moved_head = moved.substr(0, moved.find("\r\n\r\n") + 4);
    const HttpPeer server{[&moved](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/") return moved;
        return ok("hello\n");
    }};
    const auto head = ok("hello\n").substr(0, ok("hello\n").find("\r\n\r\n") + 4);
    CHECK(scenario.run({"webget", "-iL", server.url("/")}).out == moved_head + head + "hello\n");
    CHECK(scenario.run({"webget", "-D", "heads", "-L", server.url("/")}).out == "hello\n");
    CHECK(scenario.read_file("heads") == moved_head + head);
    CHECK(scenario.run({"webget", "-D", "-", "-o", "f", "-L", server.url("/")}).out ==
          moved_head + head);
    CHECK(scenario.run({"webget", "-D", "/dev/stdout", server.url("/end")}).out ==
          head + "hello\n");
    CHECK(scenario.run({"webget", "-D", "/dev/stderr", server.url("/end")}).err == head);
    const HttpPeer heads{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/") return "HTTP/1.1 302 Found\r\nLocation: /end\r\n\r\n"s;
        return "HTTP/1.1 200 OK\r\n\r\n"s;
    }};
    CHECK(scenario.run({"webget", "-sIL", heads.url("/")}).out ==
          "HTTP/1.1 302 Found\r\nLocation: /end\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
}

TEST_CASE("curl: -I and -i print the heads of a fetch that fails") {
    Scenario scenario;
    const std::string loop = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    const std::string away = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                             "Content-Length: 0\r\n\r\n";
    const std::string none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    const std::string nowhere = "HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 0\r\n\r\n";
    const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
        const auto target = request.target();
        return target == "/" ? loop : target == "/away" ? away : target == "/x" ? nowhere : none;
    }};
    for (const char* option : {"-sI", "-si"}) {
        const auto run = [&](const Words& words) {
            Words all{"webget", option};
            all.insert(all.end(), words.begin(), words.end());
            const auto result = scenario.run(all);
            return std::pair{result.status, result.out};
        };
        CHECK(run({"-L", "--max-redirs", "1", server.url("/")}) == std::pair{47, loop + loop});
        CHECK(run({"-L", server.url("/away")}) == std::pair{7, away});
        CHECK(run({"-f", server.url("/none")}) == std::pair{22, none});
        CHECK(run({"-f", "-o", "file", server.url("/none")}) == std::pair{22, ""s});
        // An empty Location leads nowhere.
        CHECK(run({"-L", server.url("/x")}).second == nowhere);
    }
    CHECK(scenario.run({"webget", "-sf", server.url("/none")}).out.empty());
    CHECK(scenario.run({"webget", "-sL", server.url("/")}).out.empty());
}

TEST_CASE("curl: -i and -D have the interim heads, too") {
    Scenario scenario;
    const std::string heads = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    const HttpPeer server{
        [&heads](const HttpRequest& /*request*/) -> HttpAnswer { return {heads + "hello"}; }};
    CHECK(scenario.run({"webget", "-i", server.url("/")}).out == heads + "hello");
    CHECK(scenario.run({"webget", "-D", "heads", server.url("/")}).out == "hello");
    CHECK(scenario.read_file("heads") == heads);
}

TEST_CASE("curl: a file of -D or -c that cannot be written ends with status 23 and its name") {
    Scenario scenario;
    const HttpPeer server{greet};
    for (const char* option : {"-D", "-c"}) {
        CAPTURE(option);
        const auto result = scenario.run({"webget", option, "none/file", server.url("/")});
        CHECK(result.status == 23);
        CHECK(result.err.starts_with("webget: cannot open none"));
        CHECK(scenario.run({"webget", option, "/dev/full", server.url("/")}).status == 23);
        CHECK(scenario.run({"webget", option, "/", server.url("/")}).status == 23);
    }
}

TEST_CASE("curl: a health check into /dev/null is silent") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest&) -> HttpAnswer { return answer("404 Not Found", "", "no page\n"); }};
    const auto result =
        scenario.run({"webget", "-s", "-o", "/dev/null", "-w", "%{http_code}", server.url("/")});
    CHECK(result.out == "404");
    CHECK(result.err.empty());
    CHECK(result.status == 22);
}

TEST_CASE("curl: numbers mean what they mean to curl") {
    Scenario scenario;
    const HttpPeer server{greet};
    const auto url = server.url("/");
    for (const Words& words :
         {Words{"--limit-rate", "100k"}, Words{"--limit-rate", "1m"}, Words{"--limit-rate", "0"},
          Words{"--limit-rate", "100B"}, Words{"-m", "0"}, Words{"--connect-timeout", "0"},
          Words{"--retry-max-time", "0"}, Words{"--max-filesize", "0"},
          Words{"--max-filesize", "1k"}, Words{"--max-redirs", "-1"}, Words{"-m", ".5m"},
          Words{"-m", "20"}, Words{"--connect-timeout", "2.5"}}) {
        CAPTURE(words[1]);
        CHECK(scenario.run({"webget", words[0], words[1], url}).out == "hello\n");
    }
    CHECK(scenario.run({"webget", "--max-filesize", "5", url}).status == 63);
    // 0 means the default of one second, and not "at once".
    const HttpPeer busy{[](const HttpRequest& request) -> HttpAnswer {
        if (request.connection + request.number == 0) return answer("503 Busy");
        return ok("hello\n");
    }};
    const auto result = scenario.run({"webget", "--retry", "1", "--retry-delay", "0", "-o", "f",
                                      "-w", "%{time_total} %{num_retries}", busy.url("/")});
    CHECK(std::stod(result.out) >= 1);
    CHECK(result.out.ends_with(" 1"));
}

TEST_CASE("curl: data is joined in the order of the command line") {
    Scenario scenario;
    scenario.write_file("file", "x y\n");
    const auto body = [&](const Words& options) { return request_of(scenario, options).body; };
    CHECK(body({"--data-binary", "b", "-d", "a"}) == "b&a");
    CHECK(body({"-d", "1", "--data-binary", "2", "-d", "3", "--data-raw", "@4", "--data-urlencode",
                "n@file", "--data-ascii", "5"}) == "1&2&3&@4&n=x+y%0A&5");
    CHECK(body({"-d", "", "-d", "x"}) == "&x");
    CHECK(body({"--data-raw", "@file"}) == "@file");
    auto request = request_of(scenario, {"--json", "{\"a\":1", "--json", ",\"b\":2}"});
    CHECK(request.body == "{\"a\":1,\"b\":2}");
    CHECK(request.method() == "POST");
    CHECK(request.field("Content-Type") == "application/json");
    CHECK(request.field("Accept") == "application/json");
    request = request_of(scenario, {"--json", "1", "-H", "Content-Type: x/y", "-H", "Accept:"});
    CHECK(request.field("Content-Type") == "x/y");
    CHECK(request.field("Accept").empty());
    CHECK(has(usage_error(scenario, {"-d", "a", "-T", "file", "http://a/"}), "cannot be combined"));
    CHECK(has(usage_error(scenario, {"-d", "a", "-F", "b=1", "http://a/"}), "cannot be combined"));
    CHECK(has(usage_error(scenario, {"-d", "a", "-I", "http://a/"}), "cannot be combined"));
}

TEST_CASE("curl: -G and --url-query put data into the URL") {
    Scenario scenario;
    CHECK(request_of(scenario, {"-G", "-d", "a=1", "--data-urlencode", "b=x y"}).first_line() ==
          "GET /x?a=1&b=x+y HTTP/1.1");
    CHECK(request_of(scenario, {"-G", "-d", "a=1"}, "/x?q").target() == "/x?q&a=1");
    CHECK(request_of(scenario, {"-G", "-d", "a b#c"}).target() == "/x?a%20b%23c");
    CHECK(request_of(scenario, {"-G", "-d", ""}).target() == "/x");
    CHECK(request_of(scenario, {"--url-query", "a=x y", "--url-query", "+b%20", "-d", "z"})
              .first_line() == "POST /x?a=x+y&b%20 HTTP/1.1");
    CHECK(request_of(scenario, {"-G", "-d", "a", "-X", "DELETE"}).first_line() ==
          "DELETE /x?a HTTP/1.1");
}

TEST_CASE("curl: a form is sent with its files, in chunks when its length is unknown") {
    Scenario scenario;
    scenario.write_file("file.txt", "content");
    const auto body_of = [](const HttpRequest& request) {
        const auto type = request.field("Content-Type");
        CHECK(type.starts_with("multipart/form-data; boundary=------------------------"));
        const auto boundary = type.substr(type.find('=') + 1);
        auto body =
            request.field("Transfer-Encoding") == "chunked" ? request.content() : request.body;
        for (auto at = body.find(boundary); at != std::string::npos; at = body.find(boundary))
            body.replace(at, boundary.size(), "B");
        return body;
    };
    const auto request =
        request_of(scenario, {"-F", "a=1", "-F", "f=@file.txt", "--form-string", "s=@x"});
    CHECK(request.method() == "POST");
    CHECK(body_of(request) == "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
                              "--B\r\nContent-Disposition: form-data; name=\"f\"; "
                              "filename=\"file.txt\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n"
                              "--B\r\nContent-Disposition: form-data; name=\"s\"\r\n\r\n@x\r\n"
                              "--B--\r\n");
    const HttpPeer server{greet};
    CHECK(scenario.run({"webget", "-F", "f=@-", server.url("/")}, "from input").status == 0);
    CHECK(server.requests().back().field("Transfer-Encoding") == "chunked");
    CHECK(has(body_of(server.requests().back()), "filename=\"-\"\r\n\r\nfrom input\r\n--B--\r\n"));
    CHECK(scenario.run({"webget", "-F", "f=@absent", server.url("/")}).status == 26);
    CHECK(has(usage_error(scenario, {"-F", "a=1;x", "http://a/"}), "--form-string"));
}

TEST_CASE("curl: fields may come from a file") {
    Scenario scenario;
    scenario.write_file("fields", "X-One: 1\r\n\nX-Two: 2\nAccept:\n");
    const auto request = request_of(scenario, {"-H", "@fields", "-H", "X-Three: 3"});
    CHECK(request.field("X-One") == "1");
    CHECK(request.field("X-Two") == "2");
    CHECK(request.field("X-Three") == "3");
    CHECK(request.field("Accept").empty());
}

TEST_CASE("curl: an empty field is none, and an empty file name is an error") {
    Scenario scenario;
    CHECK(request_of(scenario, {"-H", "", "-H", " "}).field("Accept") == "*/*");
    scenario.write_file("fields", "# mine\nX: 1\n");
    CHECK(request_of(scenario, {"-H", "@fields"}).field("X") == "1");
    scenario.write_file("wrong", "X: 1\nno field\n");
    CHECK(scenario.run({"webget", "-H", "@wrong", "http://127.0.0.1:1/"}).err ==
          "webget: --header '@wrong': line 2: expected NAME: VALUE (see webget --help)\n");
    const auto result = scenario.run({"webget", "-o", "", "http://127.0.0.1:1/"});
    CHECK(result.status == 2);
    CHECK(result.err.find("expected a file") != std::string::npos);
}

TEST_CASE("curl: a form has its boundary in the user's Content-Type, too") {
    Scenario scenario;
    const auto request =
        request_of(scenario, {"-H", "Content-Type: multipart/form-data", "-F", "a=b"});
    const auto type = request.field("Content-Type");
    const auto boundary = type.find("boundary=");
    REQUIRE(boundary != std::string::npos);
    CHECK(request.body.starts_with("--" + type.substr(boundary + 9) + "\r\n"));
    CHECK(request_of(scenario, {"-H", "Content-Type: multipart/mixed; boundary=x", "-F", "a=b"})
              .field("Content-Type") == "multipart/mixed; boundary=x");
}

TEST_CASE("curl: -T . is standard input, and a directory is refused before anything is sent") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.content()); }};
    CHECK(scenario.shell("echo data | webget -T . \"$1\"", {server.url("/x")}).out == "data\n");
    scenario.shell("mkdir d");
    const auto result = scenario.run({"webget", "-T", "d", server.url("/x")});
    CHECK(result.status == 26);
    CHECK(result.err.find("cannot send d: it is a directory") != std::string::npos);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("curl: a URL with one slash or with empty braces is refused") {
    Scenario scenario;
    for (const char* const url : {"http:/host/x", "HTTPS:/host/x", "http://127.0.0.1:1/{}"}) {
        CAPTURE(url);
        CHECK(scenario.run({"webget", url}).status == 3);
    }
}

TEST_CASE("curl: a configuration file's options take the place of -K") {
    Scenario scenario;
    const HttpPeer server{name_it};
    scenario.write_file("config", fmt::format("# two documents\nurl = \"{}\"\n-H \"X: y\"\n"
                                              "user-agent: me\nurl={}\n",
                                              server.url("/a"), server.url("/b")));
    CHECK(scenario.run({"webget", "-K", "config", server.url("/c")}).out == "/a\n/b\n/c\n");
    CHECK(server.requests().back().field("User-Agent") == "me");
    CHECK(server.requests().back().field("X") == "y");
    CHECK(scenario.run({"webget", "-sK-"}, "url " + server.url("/d")).out == "/d\n");
    CHECK(has(usage_error(scenario, {"-K", "/dev/null"}), "expected a URL"));
    scenario.write_file("bad", "silent = yes\n");
    CHECK(has(usage_error(scenario, {"-K", "bad", "http://a/"}), "takes no value"));
    CHECK(scenario.run({"webget", "-K", "absent"}).status == 26);
    // An option without its value does not take what follows -K.
    for (const std::string lacking : {"output", "--output", "-o", "-so"}) {
        scenario.write_file("lacking", "silent\n" + lacking + "\n");
        CHECK(has(usage_error(scenario, {"-K", "lacking", "name", server.url("/a")}),
                  "needs a value"));
    }
    CHECK_FALSE(scenario.exists("name"));
    scenario.write_file("dashes", "-o\n-named\n");
    CHECK(scenario.run({"webget", "-K", "dashes", server.url("/a")}).status == 0);
    CHECK(scenario.exists("-named"));
}

TEST_CASE("curl: --proto and TLS options bound what is fetched") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/to-https")
            return answer("302 Found", "Location: https://127.0.0.1:1/\r\n");
        return ok("hello\n");
    }};
    const auto url = server.url("/");
    CHECK(scenario.run({"webget", "--proto", "=http,https", "--tlsv1.2", url}).out == "hello\n");
    CHECK(scenario.run({"webget", "--proto", "=http", "--tlsv1.3", "--tls-max", "1.3", url}).out ==
          "hello\n");
    auto result = scenario.run({"webget", "--proto", "=https", url});
    CHECK(result.status == 1);
    CHECK(has(result.err, "--proto does not allow http"));
    result = scenario.run({"webget", "-L", "--proto", "=http", server.url("/to-https")});
    CHECK(result.status == 1);
    CHECK(has(result.err, "https is not allowed"));
    CHECK(
        scenario.run({"webget", "-L", "--proto-redir", "=http", server.url("/to-https")}).status ==
        1);
    CHECK(has(usage_error(scenario, {"--proto", "=htps", url}), "there is no protocol 'htps'"));
    CHECK(has(usage_error(scenario, {"--tlsv1.3", "--tls-max", "1.2", url}), "cannot be combined"));
}

TEST_CASE("curl: -z with a file that is not there fetches the document") {
    Scenario scenario;
    const HttpPeer server{greet};
    auto result = scenario.run({"webget", "-z", "f", "-o", "f", server.url("/")});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(scenario.read_file("f") == "hello\n");
    CHECK(server.requests().back().field("If-Modified-Since").empty());
    result = scenario.run({"webget", "-z", "2026-13-45", server.url("/")});
    CHECK(result.status == 0);
    CHECK(has(result.err, "neither a date"));
    CHECK(scenario.run({"webget", "-s", "-z", "2026-13-45", server.url("/")}).err.empty());
    CHECK(scenario.run({"webget", "-z", "31 Jan 2026", server.url("/")}).status == 0);
    CHECK(server.requests().back().field("If-Modified-Since") == "Sat, 31 Jan 2026 00:00:00 GMT");
}

TEST_CASE("curl: -R gives the file the server's date") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
        return ok("hello\n", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }};
    CHECK(scenario.run({"webget", "-R", "-o", "f", server.url("/")}).status == 0);
    struct stat status {};
    REQUIRE(::stat(scenario.path("f").c_str(), &status) == 0);
    CHECK(status.st_mtime == 784111777);
}

TEST_CASE("curl: -C with a number skips the beginning, or appends to a file of that size") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/whole") return ok("0123456789");
        return answer("206 Partial Content",
                      "Content-Range: bytes 4-9/10\r\n"
                      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                      "456789");
    }};
    CHECK(scenario.run({"webget", "-C", "4", server.url("/")}).out == "456789");
    CHECK(server.requests().back().field("Range") == "bytes=4-");
    scenario.write_file("f", "0123");
    CHECK(scenario.run({"webget", "-C", "4", "-o", "f", server.url("/")}).status == 0);
    CHECK(scenario.read_file("f") == "0123456789");
    auto result = scenario.run({"webget", "-C", "4", "-o", "f", server.url("/")});
    CHECK(result.status == 33);
    CHECK(has(result.err, "it has 10 bytes"));
    result = scenario.run({"webget", "-C", "4", server.url("/whole")});
    CHECK(result.status == 33);
    CHECK(result.out.empty());
}

TEST_CASE("curl: a server that asks for a longer wait than -m allows gets no second request") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
        return answer("503 Busy", "Retry-After: 100000\r\n");
    }};
    CHECK(scenario.run({"webget", "-s", "-m", "5", "--retry", "3", server.url("/")}).status == 22);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("curl: --retry-all-errors repeats after any failure") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.number + request.connection == 0) return answer("404 Not Found");
        return ok("hello\n");
    }};
    CHECK(scenario
              .run({"webget", "--retry", "1", "--retry-all-errors", "--retry-delay", "0.01",
                    "--retry-connrefused", server.url("/")})
              .out == "hello\n");
    CHECK(server.requests().size() == 2);
}

TEST_CASE("curl: flags are turned off again, and options that change nothing are accepted") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest&) -> HttpAnswer { return answer("302 Found", "Location: /end\r\n"); }};
    CHECK(scenario.run({"webget", "-s", "-L", "--no-location", server.url("/")}).status == 22);
    CHECK(server.requests().size() == 1);
    CHECK(request_of(scenario, {"--http1.1", "--tcp-nodelay", "--no-keepalive", "-#", "--no-alpn",
                                "--no-sessionid", "--styled-output", "--disable", "-1", "-N",
                                "--suppress-connect-headers", "--no-progress-meter", "--basic"})
              .first_line() == "GET /x HTTP/1.1");
}

TEST_CASE("curl: an unsupported option is refused by name") {
    Scenario scenario;
    for (const auto& [words, reason] : std::initializer_list<std::pair<Words, std::string_view>>{
             {{"--http2"}, "HTTP/1.1"},
             {{"--ntlm"}, "Basic and Digest"},
             {{"--negotiate"}, "Basic and Digest"},
             {{"-:"}, "run webget again"},
             {{"--next"}, "run webget again"},
             {{"--interface", "lo"}, "local address"},
             {{"-Q", "PWD"}, "HTTP and HTTPS only"},
             {{"--etag-save", "f"}, "-z FILE"},
             {{"--skip-existing"}, "--no-clobber"},
             {{"--socks4", "h:1"}, "SOCKS5"}}) {
        auto all = words;
        all.emplace_back("http://a/");
        CAPTURE(all.front());
        const auto error = usage_error(scenario, all);
        CHECK(
            error.starts_with(fmt::format("webget: option {} is not supported: ", words.front())));
        CHECK(has(error, reason));
    }
    CHECK(has(usage_error(scenario, {"-T", "a", "-T", "b", "http://a/", "http://b/"}), "once"));
    CHECK(has(usage_error(scenario, {"-e", "http://a/;auto", "http://a/"}), ";auto"));
    CHECK(has(usage_error(scenario, {"--nonsense", "http://a/"}), "unknown option --nonsense"));
}

TEST_CASE(
    "curl: -z with a dash excludes a newer document, whatever the server thinks of the date") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/412") return answer("412 Precondition Failed");
        return ok("hello\n", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }};
    const auto fetch = [&](std::string_view date, std::string_view path) {
        const auto result =
            scenario.run({"webget", "-z", std::string{date}, "-o", "f", server.url(path)});
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        const bool is_there = scenario.exists("f");
        if (is_there) CHECK(scenario.read_file("f") == "hello\n");
        (void)::unlink(scenario.path("f").c_str());
        return is_there;
    };
    CHECK(fetch("-1994-11-07", "/"));
    CHECK(server.requests().back().field("If-Unmodified-Since") == "Mon, 07 Nov 1994 00:00:00 GMT");
    CHECK_FALSE(fetch("-1994-11-06", "/"));
    CHECK_FALSE(fetch("-1994-11-06", "/412"));
    CHECK(scenario.run({"webget", "-s", server.url("/412")}).status == 22);
}

TEST_CASE("curl: -i and -I print the head of an answer that says that nothing has changed") {
    Scenario scenario;
    const std::string unchanged = "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n";
    const HttpPeer server{[&](const HttpRequest&) -> HttpAnswer { return unchanged; }};
    const std::string condition = "If-None-Match: \"v\"";
    for (const char* option : {"-i", "-I"})
        CHECK(scenario.run({"webget", option, "-H", condition, server.url("/")}).out == unchanged);
    CHECK(scenario.run({"webget", "-H", condition, server.url("/")}).out.empty());
    scenario.write_file("f", "kept");
    CHECK(scenario.run({"webget", "-i", "-z", "f", "-o", "f", server.url("/")}).out.empty());
    CHECK(scenario.read_file("f") == "kept");
}

TEST_CASE("curl: -w counts only what was sent") {
    Scenario scenario;
    const HttpPeer server{greet};
    const RefusedPort refused;
    const Words sizes{"webget", "-so", "/dev/null", "-w", "%{size_upload}"};
    const auto sent = [&](const Words& options, const std::string& url) {
        Words words = sizes;
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(url);
        return scenario.run(words, "12345").out;
    };
    CHECK(sent({"-T", "-"}, server.url("/")) == "5");
    CHECK(sent({"-d", "abc"}, server.url("/")) == "3");
    CHECK(sent({}, server.url("/")) == "0");
    const auto nowhere = fmt::format("http://127.0.0.1:{}/", refused.number());
    CHECK(sent({"-d", "abc", "-w", "%{size_upload} %{size_request}"}, nowhere) == "0 0");
}

TEST_CASE("curl: another protocol has status 1, also after a redirect") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) -> HttpAnswer {
        return answer("302 Found", "Location: ftp://host/file\r\n");
    }};
    CHECK(scenario.run({"webget", "-s", "ftp://host/file"}).status == 1);
    const auto result = scenario.run({"webget", "-L", server.url("/")});
    CHECK(result.status == 1);
    CHECK(has(result.err, "redirected to ftp://host/file: only http and https are supported"));
}

TEST_CASE("curl: a mistake in a configuration file is reported with its line") {
    Scenario scenario;
    const auto error_of = [&scenario](std::string_view line) {
        scenario.write_file("rc", fmt::format("# mine\nsilent\n{}\nshow-error\n", line));
        const auto error = usage_error(scenario, {"-K", "rc", "-L", "http://h/"});
        CHECK(error.starts_with("webget: rc:3: "));
        return error.substr(14);
    };
    CHECK(has(error_of("location = true"), "option --location takes no value"));
    CHECK(has(error_of("header = X: a b"), "expected quotes around a value with blanks"));
    CHECK(has(error_of("max-redirs = many"), "--max-redirs 'many': "));
    CHECK(has(error_of("-sSY 3"), "option -Y is not supported"));
    CHECK(has(error_of("loctaion"), "unknown option --loctaion; did you mean --location?"));
    CHECK(has(error_of("output"), "option --output needs a value"));
    CHECK(scenario.run({"webget", "-K", "-"}, "silent = yes\n")
              .err.starts_with("webget: standard input:1: option --silent takes no value"));
}

TEST_CASE("curl: %{url} is the URL as the user wrote it, unless an option has changed it") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest&) { return ok(""); }};
    const auto authority = server.url("").substr(std::string_view{"http://"}.size());
    const auto url_of = [&scenario](const std::string& url, const Words& options = {}) {
        Words words{"webget", "-w", "%{url}\n", url};
        words.insert(words.end(), options.begin(), options.end());
        return scenario.run(words).out;
    };
    for (const auto& url :
         {authority, authority + "/a/../b", "HTTP://" + authority + "/%7ea?q#part",
          "http://u:p@" + authority + "/\u00e4", authority + "?u=http://h/"})
        CHECK(url_of(url) == url + "\n");
    CHECK(url_of(authority + "/./{a,b}[1-2]") ==
          fmt::format("{0}/./a1\n{0}/./a2\n{0}/./b1\n{0}/./b2\n", authority));
    CHECK(url_of("h.invalid:1/../x") == "h.invalid:1/../x\n");
    const auto listed = fmt::format("{0}/./c\n{0}?u=http://h/\n", authority);
    scenario.write_file("list", listed);
    CHECK(scenario.run({"webget", "-w", "%{url}\n", "--urls", "list"}).out == listed);
    scenario.write_file("f", "text");
    CHECK(url_of(authority + "/x/../d/", {"-T", "f"}) == "http://" + authority + "/d/f\n");
    CHECK(url_of(authority + "/x/../q#p", {"-G", "-d", "x=1"}) ==
          "http://" + authority + "/q?x=1#p\n");
}

TEST_CASE("curl: %{url_effective} has the fragment, which no server gets") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() != "/login") return ok("");
        return answer("302 Found", "Location: /done#token=1\r\n");
    }};
    const auto effective = [&](std::string_view path) {
        return scenario.run({"webget", "-L", "-w", "%{url_effective}", server.url(path)}).out;
    };
    CHECK(effective("/login") == server.url("/done#token=1"));
    CHECK(effective("/login#part") == server.url("/done#token=1"));
    CHECK(effective("/a?b#part") == server.url("/a?b#part"));
    CHECK(server.targets() == "/login /done /login /done /a?b");
}

TEST_CASE("curl: data that cannot be in a URL is refused with the URL's status and name") {
    Scenario scenario;
    const auto result = scenario.run({"webget", "-G", "--data-binary", "a\nb", "http://h/x"});
    CHECK(result.status == 3);
    CHECK(has(result.err, "cannot fetch http://h/x: the data to add contains control characters"));
}

TEST_CASE("an option of wget is refused with the option to use instead") {
    Scenario scenario;
    for (const auto& [words, hint] : std::initializer_list<std::pair<Words, std::string_view>>{
             {{"-qO-"}, "prints documents without -O"},
             {{"-q", "-O", "-"}, "prints documents without -O"},
             {{"--spider"}, "use -I"},
             {{"--tries=3"}, "use --retry"},
             {{"--continue"}, "use -C -"},
             {{"--timestamping"}, "use -z FILE -R"},
             {{"--no-check-certificate"}, "use -k"},
             {{"--output-document=f"}, "use -o FILE"},
             {{"--post-data=a"}, "use -d DATA"},
             {{"--recursive"}, "only the documents that you name"}}) {
        auto all = words;
        all.emplace_back("http://a/");
        CAPTURE(all.front());
        CHECK(has(usage_error(scenario, all), hint));
    }
}
