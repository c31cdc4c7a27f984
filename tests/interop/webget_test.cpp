// webget with servers and proxies of other projects.
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

bool answers(Scenario& scenario, std::uint16_t port) {
    return eventually([&] {
        return scenario.run({"tcp-client", "-z", fmt::format("127.0.0.1:{}", port)}).status == 0;
    });
}

// nginx with the files of "documents", on its own port and on the Unix socket "nginx.sock".
// DIRECTIVES are for its only server.
class Nginx {
  public:
    explicit Nginx(Scenario& scenario, std::string_view directives = {})
        : process_(start(scenario, port_.number(), directives)) {
        // nginx writes this file when it listens everywhere.
        const bool ready =
            eventually([&] { return scenario.exists("nginx.pid") || !process_.is_running(); });
        REQUIRE(ready);
        REQUIRE(process_.is_running());
    }

    [[nodiscard]] std::string authority() const {
        return fmt::format("127.0.0.1:{}", port_.number());
    }
    [[nodiscard]] std::string url(std::string_view path) const {
        return fmt::format("http://{}{}", authority(), path);
    }

  private:
    // nginx runs as one process of the test's user, and writes everything in the test's directory.
    static Process start(Scenario& scenario, std::uint16_t port, std::string_view directives) {
        constexpr std::string_view main = R"(
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 200; }
http {
    access_log off;
    client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
    uwsgi_temp_path temporary; scgi_temp_path temporary;
    server {
        root documents;
)";
        std::filesystem::create_directory("documents");
        scenario.write_file("nginx.conf",
                            fmt::format("{}listen 127.0.0.1:{};\nlisten unix:{};\n{}\n}}\n}}\n",
                                        main, port, scenario.path("nginx.sock"), directives));
        return scenario.start(
            {"nginx", "-p", scenario.path(""), "-c", scenario.path("nginx.conf"), "-e", "stderr"});
    }

    ReservedPort port_;
    Process process_;
};

// Makes an authority and its certificate for localhost: authority.pem, certificate.pem and key.pem.
void make_certificates(Scenario& scenario) {
    const auto made = scenario.shell(R"(
make() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "$@"; }
make -subj "/CN=The authority" -keyout authority.key -out authority.pem &&
make -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE \
    -CA authority.pem -CAkey authority.key -keyout key.pem -out certificate.pem
)");
    REQUIRE_MESSAGE(made.status == 0, made.err);
}

std::string tls_directives(const ReservedPort& port) {
    return fmt::format("listen 127.0.0.1:{} ssl;"
                       "ssl_certificate certificate.pem; ssl_certificate_key key.pem;",
                       port.number());
}

// tinyproxy, which adds a field Via, so that a test can see that it was used.
class Proxy {
  public:
    explicit Proxy(Scenario& scenario, std::string_view configuration = {})
        : process_(start(scenario, port_.number(), configuration)) {
        REQUIRE(answers(scenario, port_.number()));
    }
    [[nodiscard]] std::string authority() const {
        return fmt::format("127.0.0.1:{}", port_.number());
    }

  private:
    static Process start(Scenario& scenario, std::uint16_t port, std::string_view configuration) {
        scenario.write_file("proxy.conf",
                            fmt::format("Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 30\n"
                                        "MaxClients 50\nLogLevel Connect\nLogFile \"{}\"\n{}\n",
                                        port, scenario.path("proxy.log"), configuration));
        return scenario.start({"tinyproxy", "-d", "-c", "proxy.conf"});
    }

    ReservedPort port_;
    Process process_;
};

// A program for inetd and others. It reads one request, answers with the request's path and "tail",
// and ends.
constexpr auto one_answer = R"script(#!/bin/sh
end=$(printf '\r')
read -r method path version
while read -r field && [ "$field" != "$end" ]; do :; done
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%s\ntail\n' "$path"
)script";

} // namespace

TEST_CASE("nginx answers many requests on one connection") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        location /count { return 200 "$connection_requests\n"; }
        location /three { keepalive_requests 3; return 200 "$uri $connection_requests\n"; }
        location /last { keepalive_timeout 0; return 200 "$uri\n"; }
    )");
    Words words{"webget"};
    std::string expected;
    for (int at = 1; at <= 50; ++at) {
        words.push_back(nginx.url("/count"));
        expected += fmt::format("{}\n", at);
    }
    CHECK(scenario.run(words).out == expected);

    SUBCASE("and can end it at any time") {
        Words some{"webget"};
        std::string numbered;
        for (int at = 0; at < 20; ++at) {
            some.push_back(nginx.url(fmt::format("/three/{}", at)));
            numbered += fmt::format("/three/{} {}\n", at, at % 3 + 1);
        }
        const auto result = scenario.run(some);
        CHECK(result.status == 0);
        CHECK(result.out == numbered);
    }
    SUBCASE("or does not keep it") {
        const auto result = scenario.run(
            {"webget", nginx.url("/last/1"), nginx.url("/last/2"), nginx.url("/last/3")});
        CHECK(result.status == 0);
        CHECK(result.out == "/last/1\n/last/2\n/last/3\n");
    }
}

TEST_CASE("the form of perlipc prints whole answers of nginx") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        location / { return 200 "$uri $server_protocol $host $connection_requests\n"; }
    )");
    const auto result = scenario.run({"webget", nginx.authority(), "/one", "/two"});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with("HTTP/1.1 200 OK\r\nServer: nginx/"));
    CHECK(result.out.find("\r\n\r\n/one HTTP/1.1 127.0.0.1 1\nHTTP/1.1 200 OK\r\n") !=
          std::string::npos);
    CHECK(result.out.ends_with("\r\n\r\n/two HTTP/1.1 127.0.0.1 2\n"));
    // HTTP/1.0 needs a connection for each document.
    const auto old = scenario.run({"webget", "-0", nginx.authority(), "/one", "/two"});
    CHECK(old.status == 0);
    CHECK(old.out.find("\r\n\r\n/one HTTP/1.0 ") != std::string::npos);
    CHECK(old.out.ends_with("\r\n\r\n/two HTTP/1.0 127.0.0.1 1\n"));
}

TEST_CASE("a document is the same in whatever way nginx sends it") {
    Scenario scenario;
    // With server-side includes there is no length: the document comes in chunks, or ends with the
    // connection.
    const Nginx nginx(scenario, R"(
        location /chunked/ { alias documents/; ssi on; ssi_types *; }
        location /gzip/ { alias documents/; gzip on; gzip_types *; gzip_min_length 1; }
    )");
    for (const std::size_t size : {0UL, 1UL, 1000UL, 300'000UL, 20'000'000UL}) {
        CAPTURE(size);
        const auto text = numbered_text(size);
        scenario.write_file("documents/text", text);
        for (const char* path : {"/text", "/chunked/text", "/gzip/text"}) {
            CAPTURE(path);
            const auto url = nginx.url(path);
            for (const auto& options : {Words{}, Words{"--compressed"}, Words{"-0"}}) {
                const auto result = scenario.run(with({"webget", url}, options));
                CHECK(result.status == 0);
                CHECK(result.err.empty());
                CHECK((result.out == text)); // the double parentheses keep doctest from printing it
            }
            CHECK(scenario.run({"webget", "-o", "file", url}).status == 0);
            CHECK((scenario.read_file("file") == text));
        }
    }
    const auto head = scenario.run({"webget", "-I", nginx.url("/text")});
    CHECK(head.status == 0);
    CHECK(head.out.find("Content-Length: 20000000\r\n") != std::string::npos);
}

TEST_CASE("ranges, resumption and conditions work with nginx") {
    Scenario scenario;
    const auto text = numbered_text(100'000);
    const Nginx nginx(scenario);
    scenario.write_file("documents/text", text);
    const auto url = nginx.url("/text");
    CHECK(scenario.run({"webget", "-r", "10-19", url}).out == text.substr(10, 10));
    CHECK(scenario.run({"webget", "-r", "-7", url}).out == text.substr(text.size() - 7));

    CHECK((scenario.run({"webget", "-z", "1970-01-01", url}).out == text));
    // nginx answers 304 only for exactly the document's date. For a later date, it sends the
    // document.
    for (const char* date : {"documents/text", "2100-01-01"}) {
        CAPTURE(date);
        scenario.write_file("file", "kept\n");
        const auto unchanged = scenario.run({"webget", "-o", "file", "-z", date, url});
        CHECK(unchanged.status == 0);
        CHECK(unchanged.err.empty());
        CHECK(scenario.read_file("file") == "kept\n");
        CHECK_FALSE(scenario.exists(part_of("file")));
    }
}

TEST_CASE("an interrupted transfer is resumed") {
    Scenario scenario;
    const auto text = numbered_text(3'000'000);
    // This server never sends all of the document to a request without a range.
    const Nginx nginx(scenario, R"(
        access_log log;
        limit_rate_after 1m;
        if ($http_range = "") { set $limit_rate 1k; }
    )");
    scenario.write_file("documents/text", text);
    const auto interrupted = scenario.start({"webget", "-o", "text", nginx.url("/text")});
    CHECK(eventually([&] {
        std::error_code not_yet;
        const auto size = std::filesystem::file_size(part_of("text"), not_yet);
        return !not_yet && size >= 1'000'000;
    }));
    interrupted.kill(SIGINT);
    CHECK(eventually([&] { return !interrupted.is_running(); }));
    CHECK_FALSE(scenario.exists("text"));
    CHECK(scenario.run({"webget", "-C", "-", "-o", "text", nginx.url("/text")}).status == 0);
    CHECK((scenario.read_file("text") == text));
    CHECK_FALSE(scenario.exists(part_of("text")));
    // nginx writes its log after the last byte of an answer.
    CHECK(eventually([&] { return contains(scenario.read_file("log"), "\" 206 "); }));
}

TEST_CASE("errors, redirects and passwords work with nginx") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        error_page 404 @missing;
        location @missing { return 404 "not here\n"; }
        location /moved { return 302 /text; }
        location /away { return 301 http://localhost:$server_port/authorization; }
        location /loop { return 302 /loop; }
        location /authorization { return 200 "<$http_authorization>\n"; }
        location /secret { auth_basic "secrets"; auth_basic_user_file passwords; alias documents; }
    )");
    scenario.write_file("documents/text", "the text\n");
    scenario.write_file("passwords", "anna:{PLAIN}a b\n");

    CHECK(scenario.run({"webget", "-L", nginx.url("/moved")}).out == "the text\n");
    CHECK(scenario.run({"webget", "-L", nginx.url("/loop")}).status == 47);

    const auto secret = nginx.url("/secret/text");
    CHECK(scenario.run({"webget", "-u", "anna:a b", secret}).out == "the text\n");
    CHECK(scenario.run({"webget", "-f", "-u", "anna:wrong", secret}).status == 22);
    CHECK(scenario.run({"webget", "-u", "a:b", nginx.url("/authorization")}).out ==
          "<Basic YTpi>\n");
    // The other host must not get the password.
    CHECK(scenario.run({"webget", "-L", "-u", "a:b", nginx.url("/away")}).out == "<>\n");

    scenario.write_file("file", "old\n");
    const auto missing = scenario.run({"webget", "-f", "-o", "file", nginx.url("/missing")});
    CHECK(missing.status == 22);
    CHECK(missing.out.empty());
    CHECK(scenario.read_file("file") == "old\n");
}

TEST_CASE("data, forms and uploads arrive at nginx") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        client_body_buffer_size 4m;
        location /upload/ { alias documents/; dav_methods PUT; client_max_body_size 100m; }
        location /small/ { alias documents/; dav_methods PUT; client_max_body_size 1k; }
        location /empty { return 200 ""; }
        location /post {
            proxy_pass http://$server_addr:$server_port/empty;
            add_header Told "$request_method $content_type $request_body";
        }
        location /fields { return 200 "$http_user_agent|$http_referer|$http_x_mine\n"; }
    )");
    const auto text = numbered_text(3'000'000);
    scenario.write_file("text", text);
    CHECK(scenario.run({"webget", "-T", "text", nginx.url("/upload/copy")}).status == 0);
    CHECK((scenario.read_file("documents/copy") == text));
    // nginx refuses the upload and closes the connection while we are still sending.
    CHECK(scenario.run({"webget", "-f", "-T", "text", nginx.url("/small/copy")}).status == 22);

    const auto posted =
        scenario.run({"webget", "-i", "-d", "a=1", "-d", "b=2", nginx.url("/post")});
    CHECK(posted.out.find("Told: POST application/x-www-form-urlencoded a=1&b=2\r\n") !=
          std::string::npos);
    CHECK(scenario
              .run({"webget", "-A", "agent", "-e", "http://referer/", "-H", "X-Mine: mine",
                    nginx.url("/fields")})
              .out == "agent|http://referer/|mine\n");
}

// Each body must arrive as a whole, and no upload may hang. IPCBOX_SOAK sends 1 000 of them.
TEST_CASE("uploads to a WebDAV server arrive whole") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        location / { root documents; dav_methods PUT; client_max_body_size 100m; }
    )");
    const auto text = numbered_text(24'000'000);
    scenario.write_file("text", text);
    const int count = std::getenv("IPCBOX_SOAK") != nullptr ? 1000 : 8;
    const std::vector<Words> ways{{"-T", "text"},
                                  {"-T", "text", "-H", "Expect: 100-continue"},
                                  {"-X", "PUT", "--data-binary", "@text"},
                                  {"-T", "text", "-H", "Transfer-Encoding: chunked"}};
    for (int number = 0; number < count; ++number) {
        Words words{"webget", "-f", "-m", "60"};
        const auto& way = ways[static_cast<std::size_t>(number) % ways.size()];
        words.insert(words.end(), way.begin(), way.end());
        words.push_back(nginx.url("/copy"));
        CAPTURE(number);
        REQUIRE(scenario.run(words).status == 0);
        CHECK((scenario.read_file("documents/copy") == text));
        scenario.write_file("documents/copy", "");
    }
}

TEST_CASE("HTTPS works with an authority of our own") {
    Scenario scenario;
    make_certificates(scenario);
    const ReservedPort port;
    const Nginx nginx(scenario, tls_directives(port));
    const auto text = numbered_text(5'000'000);
    scenario.write_file("documents/text", text);
    const auto url = fmt::format("https://localhost:{}/text", port.number());
    const Words trusting{"webget", "--cacert", "authority.pem"};

    const auto whole = scenario.run(with(trusting, {url, url}));
    CHECK(whole.status == 0);
    CHECK((whole.out == text + text));
    CHECK(scenario.run(with(trusting, {"-o", "file", url})).status == 0);
    CHECK((scenario.read_file("file") == text));
    CHECK((scenario.run({"webget", "-k", url}).out == text));

    const auto unknown = scenario.run({"webget", url});
    CHECK(unknown.status == 60);
    CHECK(unknown.out.empty());
    CHECK(unknown.err.find("The authority") != std::string::npos);
    const auto other = fmt::format("other.test:{}", port.number());
    const auto wrong = scenario.run(
        with(trusting, {"--resolve", other + ":127.0.0.1", "https://" + other + "/text"}));
    CHECK(wrong.status == 60);
    CHECK(wrong.err.find("localhost") != std::string::npos);
    // Plain HTTP to a TLS port, and TLS to a plain port.
    CHECK(
        scenario.run({"webget", "-f", fmt::format("http://localhost:{}/", port.number())}).status ==
        22);
    CHECK(scenario.run(with(trusting, {fmt::format("https://{}/", nginx.authority())})).status ==
          35);
}

TEST_CASE("webget fetches documents through a Unix socket") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(location / { return 200 "$host$uri\n"; })");
    const auto form = scenario.run({"webget", "unix:" + scenario.path("nginx.sock"), "/one"});
    CHECK(form.status == 0);
    CHECK(form.out.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(form.out.ends_with("/one\n"));
    CHECK(
        scenario.run({"webget", "--unix-socket", "nginx.sock", "http://somewhere.test/two"}).out ==
        "somewhere.test/two\n");
}

TEST_CASE("webget fetches documents through tinyproxy") {
    Scenario scenario;
    make_certificates(scenario);
    const ReservedPort secure;
    const Nginx nginx(scenario, tls_directives(secure) + R"(
        location /via { return 200 "<$http_via>"; }
    )");
    const auto text = numbered_text(1'000'000);
    scenario.write_file("documents/text", text);
    const Proxy proxy(scenario, fmt::format("ConnectPort {}", secure.number()));
    const auto url = fmt::format("https://localhost:{}/text", secure.number());
    const auto went_through = [&](const Result& result) {
        return result.status == 0 && result.out.find("(tinyproxy/") != std::string::npos;
    };

    CHECK(went_through(scenario.run({"webget", "-x", proxy.authority(), nginx.url("/via")})));
    CHECK((scenario.run({"webget", "-x", "http://" + proxy.authority(), nginx.url("/text")}).out ==
           text));
    const auto tunnelled =
        scenario.run({"webget", "-x", proxy.authority(), "--cacert", "authority.pem", url});
    CHECK(tunnelled.status == 0);
    CHECK((tunnelled.out == text));
    CHECK(scenario.read_file("proxy.log").find("CONNECT localhost:") != std::string::npos);
    // The proxy does not allow this port.
    CHECK(scenario.run({"webget", "-k", "-x", proxy.authority(), "https://localhost:1/"}).status ==
          56);

    // The status of the proxy's answer, as curl reports it: for a new tunnel, for one that is there
    // already, for none, and for a refused one.
    const auto written = [&](const std::string& program) {
        std::string statuses;
        for (const Words& documents :
             {Words{url, url}, Words{nginx.url("/via")}, Words{"https://localhost:1/"}}) {
            Words words{program,
                        "-k",
                        "-s",
                        "-x",
                        proxy.authority(),
                        "-w",
                        "%{http_connect} %{http_code}\\n"};
            for (const auto& document : documents)
                words.insert(words.end(), {"-o", "/dev/null", document});
            statuses += scenario.run(words).out;
        }
        return statuses;
    };
    CHECK(written("webget") == "200 200\n000 200\n000 200\n403 000\n");
    CHECK(written("curl") == written("webget"));

    const Variable environment{"http_proxy", "http://" + proxy.authority()};
    CHECK(went_through(scenario.run({"webget", nginx.url("/via")})));
    const Variable exception{"no_proxy", "127.0.0.1"};
    CHECK(scenario.run({"webget", nginx.url("/via")}).out == "<>");
}

TEST_CASE("webget logs in to tinyproxy") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(location / { return 200 "<$http_proxy_authorization>"; })");
    const Proxy proxy(scenario, "BasicAuth anna secret");
    CHECK(scenario.run({"webget", "-f", "-x", proxy.authority(), nginx.url("/")}).status == 22);
    // The login is for the proxy only. The proxy must not pass it on.
    CHECK(scenario.run({"webget", "-x", "http://anna:secret@" + proxy.authority(), nginx.url("/")})
              .out == "<>");
}

TEST_CASE("webget fetches documents from Python's http.server") {
    Scenario scenario;
    const auto text = numbered_text(300'000);
    scenario.write_file("a text", text);
    scenario.write_file("short", "short\n");
    for (const char* protocol : {"HTTP/1.0", "HTTP/1.1"}) {
        CAPTURE(protocol);
        auto server = scenario.start({"python3", "-u", "-m", "http.server", "--bind", "127.0.0.1",
                                      "--protocol", protocol, "0"});
        // The line is like "Serving HTTP on 127.0.0.1 port 41231 (http://127.0.0.1:41231/) ...".
        const auto line = server.line();
        const auto from = line.find("http://");
        REQUIRE(from != std::string::npos);
        const auto site = line.substr(from, line.find(')') - from);
        const auto result = scenario.run(
            {"webget", site + "short", site + "a%20text", site + "a text", site + "short"});
        CHECK(result.status == 0);
        CHECK((result.out == "short\n" + text + text + "short\n"));
        CHECK(scenario.run({"webget", "-f", site + "missing"}).status == 22);
        const auto head = scenario.run({"webget", "-I", site + "short"});
        CHECK(head.out.starts_with(protocol));
        CHECK(head.out.find("Content-Length: 6\r\n") != std::string::npos);
        const auto many = scenario.run({"webget", "-Z", site + "short", site + "short",
                                        site + "short", site + "short", site + "short"});
        CHECK(many.out == "short\nshort\nshort\nshort\nshort\n");
    }
}

TEST_CASE("webget fetches documents from servers that answer once") {
    Scenario scenario;
    scenario.write_file("answer", one_answer);
    REQUIRE(scenario.shell("chmod +x answer").status == 0);
    const auto check = [&](const std::string& authority) {
        const auto site = "http://" + authority;
        const auto result = scenario.run({"webget", site + "/1", site + "/2", site + "/3"});
        CHECK(result.status == 0);
        CHECK(result.out == "/1\ntail\n/2\ntail\n/3\ntail\n");
        CHECK(scenario.run({"webget", authority, "/old"}).out ==
              "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n/old\ntail\n");
        CHECK(scenario.run({"webget", "-0", authority, "/old"}).out.ends_with("\n/old\ntail\n"));
    };
    SUBCASE("tcpserver") {
        auto server = scenario.start({"tcpserver", "-1RHl0", "127.0.0.1", "0", "./answer"});
        check("127.0.0.1:" + server.line());
    }
    SUBCASE("tcp-server") {
        auto server = scenario.start(
            {"tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0", "--", "./answer"});
        const auto line = server.line();
        check(line.substr(line.rfind(' ') + 1));
    }
    SUBCASE("openbsd inetd") {
        const ReservedPort port;
        const auto user = scenario.shell("printf %s \"$(id -un)\"").out;
        scenario.write_file("inetd.conf",
                            fmt::format("127.0.0.1:{0} stream tcp nowait.1000 {1} {2} answer\n"
                                        "{3} stream unix nowait.1000 {1} {2} answer\n",
                                        port.number(), user, scenario.path("answer"),
                                        scenario.path("inetd.sock")));
        const auto server = scenario.start({"inetd", "-i", "inetd.conf"});
        REQUIRE(answers(scenario, port.number()));
        check(fmt::format("127.0.0.1:{}", port.number()));
        CHECK(scenario.run({"webget", "unix:./inetd.sock", "/local"})
                  .out.ends_with("/local\ntail\n"));
    }
}

TEST_CASE("curl and webget fetch the same 200 documents") {
    Scenario scenario;
    const Nginx nginx(scenario, R"(
        location /gzip/ { alias documents/; gzip on; gzip_types *; gzip_min_length 1; }
    )");
    constexpr std::size_t documents = 200;
    constexpr std::size_t largest = 300'000;
    const auto text = numbered_text(largest);
    // A name in the file system, and the same name in a URL.
    struct Name {
        std::string_view file, url;
    };
    constexpr std::array<Name, 4> names{{{"plain", "plain"},
                                         {"two words", "two%20words"},
                                         {"100%", "100%25"},
                                         {"\xc3\xa4", "%c3%a4"}}};
    std::filesystem::create_directory("curl");
    std::filesystem::create_directory("webget");
    Words urls;
    for (std::size_t at = 0; at < documents; ++at) {
        const auto& name = names.at(at % names.size());
        const bool missing = at % 10 == 7;
        if (!missing)
            scenario.write_file(fmt::format("documents/{} {}", name.file, at),
                                text.substr(at, largest * at / documents));
        urls.push_back(
            nginx.url(fmt::format("{}/{}%20{}", at % 3 == 0 ? "/gzip" : "", name.url, at)));
    }
    const auto fetch = [&](const Words& command, const std::string& directory) {
        Words words = command;
        for (std::size_t at = 0; at < documents; ++at)
            words.insert(words.end(), {"-o", fmt::format("{}/{}", directory, at), urls[at]});
        return scenario.run(words);
    };
    const auto theirs = fetch({"curl", "-sS", "-f", "--compressed"}, "curl");
    for (const auto& options : {Words{}, Words{"-Z"}}) {
        std::filesystem::remove_all("webget");
        std::filesystem::create_directory("webget");
        const auto ours = fetch(with({"webget", "-f", "--compressed"}, options), "webget");
        CHECK(ours.status == 22);
        CHECK(scenario.shell("diff -r curl webget").status == 0);
        CHECK(scenario.shell("ls webget | wc -l").out == "180\n");
    }
}
