#include "http/pipeline.h"

#include "harness/http_peer.h"
#include "http/request.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::http;
using namespace ipcbox::test;

namespace {

class Sink : public BodySink {
  public:
    void write(std::string_view bytes) override { text += bytes; }
    std::string text;
};

Request request_for(const std::string& url, bool may_wait = true) {
    Request request;
    request.route.origin = Url::parse(url);
    request.way = request.route.key();
    RequestContext context;
    context.method = "GET";
    request.head = request_head({}, request.route.origin, context);
    request.may_wait_in_line = may_wait;
    return request;
}

std::string body_of(const Response& response) {
    Sink sink;
    response.connection->read_body(sink, Deadline::after(std::chrono::seconds{20}));
    return sink.text;
}

} // namespace

TEST_CASE("requests share a connection, and later ones are sent ahead once it is kept") {
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target()); }};
    std::vector<Request> requests;
    for (const char* const target : {"/a", "/b", "/c", "/d"})
        requests.push_back(request_for(server.url(target)));
    const RouteOptions options;
    Pipeline pipeline{options};
    CHECK_FALSE(pipeline.looks_ahead(requests[0])); // the server is not known yet
    std::string text;
    for (std::size_t number = 0; number < requests.size(); ++number)
        text += body_of(pipeline.ask(requests[number], std::span{requests}.subspan(number + 1),
                                     Deadline::never()));
    CHECK(text == "/a/b/c/d");
    CHECK(server.connections() == 1);
    CHECK(pipeline.looks_ahead(requests[0]));
    pipeline.serialize(requests[0]);
    CHECK_FALSE(pipeline.looks_ahead(requests[0]));
}

TEST_CASE("a lost connection is replaced once, and then reported") {
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/gone") return {"", Then::close};
        return {ok(request.target()), request.number == 1 ? Then::close : Then::keep};
    }};
    const RouteOptions options;
    Pipeline pipeline{options};
    for (const char* const target : {"/a", "/b", "/c"})
        CHECK(body_of(pipeline.ask(request_for(server.url(target)), {}, Deadline::never())) ==
              target);
    const auto before = server.requests().size();
    CHECK_THROWS_AS((void)pipeline.ask(request_for(server.url("/gone")), {}, Deadline::never()),
                    ConnectionLost);
    CHECK(server.requests().size() - before <= 2);
}

TEST_CASE("a request that wants a connection of its own gets one") {
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target()); }};
    const RouteOptions options;
    Pipeline pipeline{options};
    auto request = request_for(server.url("/a"));
    request.alone = true;
    for (int count = 0; count < 3; ++count)
        CHECK(body_of(pipeline.ask(request, {}, Deadline::never())) == "/a");
    CHECK(server.connections() == 3);
}
