#include "download/workers.h"

#include "core/io.h"
#include "core/pipe.h"
#include "harness/http_peer.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::download;
using namespace ipcbox::test;

TEST_CASE("several workers fetch each document once, and its report follows it") {
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(request.target() + "\n"); }};
    std::vector<Target> targets;
    std::string expected;
    for (std::size_t number = 0; number < 50; ++number) {
        targets.push_back(
            {number, http::Url::parse(server.url(fmt::format("/{}", number))), {}, {}});
        expected += fmt::format("/{}\n{}\n", number, number);
    }
    const DownloadOptions options;
    for (const int workers : {1, 4}) {
        auto pipe = make_pipe();
        OrderedOutput output{pipe.writer.get(), "a pipe"};
        fetch_all(targets, options, workers, output, nullptr,
                  [](const Target& target, const Outcome& outcome) {
                      CHECK(outcome.status == 0);
                      return fmt::format("{}\n", target.number);
                  });
        pipe.writer = Fd{};
        CHECK(read_to_end(pipe.reader.get(), 10'000, "a pipe") == expected);
    }
    CHECK(server.requests().size() == 100);
}
