#include "download/download.h"

#include "core/io.h"
#include "core/pipe.h"
#include "harness/http_peer.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;
using namespace ipcbox::test;

TEST_CASE("a worker tells how each document went, and goes on") {
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/missing") return answer("404 Not Found");
        if (request.target() == "/moved") return answer("302 Found", "Location: /there\r\n");
        return ok(request.target());
    }};
    std::vector<Target> targets;
    for (const char* const target : {"/missing", "/moved", "/last"})
        targets.push_back({targets.size(), http::Url::parse(server.url(target)), {}, {}});
    DownloadOptions options;
    options.max_redirects = 1;
    options.check_redirect = [](const http::Url&, const http::Url&) {};
    std::string heads;
    options.on_head = [&](const Target&, const http::Url& url, const http::ResponseHead& head) {
        heads += url.target + std::to_string(head.status) + ' ';
    };
    options.more_fields = [](const http::Url& url) {
        return std::vector<http::Field>{{"Cookie", url.target}};
    };
    auto pipe = make_pipe();
    OrderedOutput output{pipe.writer.get(), "a pipe"};
    Downloader downloader{options, output, nullptr};
    std::vector<Outcome> outcomes;
    for (std::span<const Target> left = targets; !left.empty(); left = left.subspan(1)) {
        outcomes.push_back(downloader.fetch(left));
        output.finish(left.front().number, Deadline::never());
    }
    output.flush();
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), 1000, "a pipe") == "/there/last");
    CHECK(outcomes[0].status == 22);
    CHECK(outcomes[0].error == "404 Not Found");
    CHECK(outcomes[1].status == 0);
    CHECK(outcomes[1].redirects == 1);
    CHECK(outcomes[1].url.target == "/there");
    CHECK(outcomes[2].bytes == 5);
    CHECK(heads == "/missing404 /moved302 /there200 /last200 ");
    for (const auto& request : server.requests())
        CHECK(request.field("Cookie") == request.target());
}

TEST_CASE("a challenge is answered once") {
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.field("Authorization") == "Digest x") return ok("in");
        return answer("401 Unauthorized", "WWW-Authenticate: Digest realm=\"r\"\r\n");
    }};
    DownloadOptions options;
    options.drop_documents = true;
    const char* login = "Digest x";
    options.answer_challenge = [&](const Target&, const http::Url&, const std::string&,
                                   const http::ResponseHead&,
                                   int answered) -> std::optional<http::Field> {
        if (answered > 0) return std::nullopt;
        return http::Field{"Authorization", login};
    };
    auto pipe = make_pipe();
    OrderedOutput output{pipe.writer.get(), "a pipe"};
    Downloader downloader{options, output, nullptr};
    const std::vector<Target> targets{{0, http::Url::parse(server.url("/")), {}, {}}};
    CHECK(downloader.fetch(targets).status == 0);
    login = "Digest wrong";
    CHECK(downloader.fetch(targets).status == 22);
    CHECK(server.requests().size() == 4);
}
