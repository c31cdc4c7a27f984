// The sweep for downloads. One system call after another fails once, with each errno that the
// kernel could return there. Whatever fails, webget ends in time, with a status and one line that
// says why. The file has the whole document, or its former content, and -C - completes it
// afterwards.
#include "download/part_name.h"
#include "fault/sweep.h"
#include "harness/http_peer.h"
#include "harness/injected_fault.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view document = "the whole document\n";
constexpr std::size_t begun = 9; // bytes of the document that are already there

// Of the file that is there.
enum class Kind { usual, linked, of_another_user };

struct Download {
    const char* what;
    Words options;
    bool is_there = false; // the file has another version
    bool is_part_there = false;
    Kind kind = Kind::usual;
};

const std::vector<Download>& downloads() {
    static const std::vector<Download> all{
        {"into a new file", {"-o", "f"}},
        {"over a file", {"-o", "f"}, true},
        {"what is begun", {"-C", "-", "-o", "f"}, false, true},
        {"what is begun, over a file", {"-C", "-", "-o", "f"}, true, true},
        {"what another tool has begun", {"-C", "-", "-o", "f"}, true},
        {"with the date of the server", {"-R", "-o", "f"}},
        {"over a file with two names", {"-o", "f"}, true, false, Kind::linked},
        {"over another user's file", {"-o", "f"}, true, false, Kind::of_another_user},
        {"checked, and told of", {"-J", "--checksum", "list", "-o", "f"}},
    };
    return all;
}

// Answers with the rest of the document, or with all of it.
HttpAnswer give(const HttpRequest& request) {
    constexpr std::string_view version =
        "ETag: \"v1\"\r\nLast-Modified: Sat, 31 Jan 2026 00:00:00 GMT\r\n";
    if (request.field("Range") != fmt::format("bytes={}-", begun)) return ok(document, version);
    return answer("206 Partial Content",
                  fmt::format("{}Content-Range: bytes {}-{}/{}\r\n", version, begun,
                              document.size() - 1, document.size()),
                  document.substr(begun));
}

// The content of the file "f". Nothing when there is no such file.
std::optional<std::string> file(const Scenario& scenario) {
    if (!scenario.exists("f")) return std::nullopt;
    return scenario.read_file("f");
}

// Runs the download with one fault. False when no call was left to fail.
bool fails_somewhere(const Download& download, const std::string& fault) {
    Scenario scenario;
    const HttpPeer server{give};
    const auto url = server.url("/f");
    const auto names = download::part_names("f", download::tail_for("f"));
    Words words{"webget"};
    words.insert(words.end(), download.options.begin(), download.options.end());
    words.push_back(url);
    scenario.write_file("list",
                        "4b396f3d3ecd8f9b36742a1b2b732c0409fb59b62a05e7fd7a50654845c0fb6d  f\n");
    if (download.is_there) scenario.write_file("f", document.substr(0, begun));
    if (download.kind == Kind::linked)
        std::filesystem::create_hard_link("f", scenario.path("../second-name"));
    constexpr uid_t somebody = 65534;
    if (download.kind == Kind::of_another_user && ::geteuid() == 0)
        REQUIRE(::chown("f", somebody, somebody) == 0);
    if (download.is_part_there) {
        scenario.write_file(names.part, document.substr(0, begun));
        scenario.write_file(names.state, fmt::format("{}\netag \"v1\"\nlast-modified \nsize {}\n",
                                                     url, document.size()));
    }
    const auto before = file(scenario);
    Result result;
    const auto fired = with_fault(scenario, fault, [&] { result = scenario.run(words); });
    if (fired.empty()) return false;
    INFO("download: ", std::string{download.what});
    CAPTURE(fault);
    CAPTURE(fired);
    CAPTURE(result.err);
    CAPTURE(result.status);
    // 0 and 1 are from ipcbox, before the download begins. The others are from curl.
    constexpr std::array statuses{0, 1, 6, 7, 23, 26, 52, 55, 56};
    CHECK(std::ranges::find(statuses, result.status) != statuses.end());
    if (result.err.empty())
        CHECK((result.status == 0 || fired.starts_with("write")));
    else
        CHECK((result.err.starts_with("webget: ") && result.err.ends_with('\n') &&
               std::ranges::count(result.err, '\n') == 1));
    const auto after = file(scenario);
    CHECK((after == document || (result.status != 0 && after == before)));
    // If webget may not open a part, it belongs to somebody else, so webget leaves it alone.
    if (result.status == 0 && fired != "open: EACCES\n") {
        CHECK_FALSE(scenario.exists(names.part));
        CHECK_FALSE(scenario.exists(names.state));
    }
    if (after != document) {
        CHECK(scenario.run({"webget", "-C", "-", "-o", "f", url}).status == 0);
        CHECK(file(scenario) == document);
    }
    return true;
}

} // namespace

TEST_CASE("no matter what fails, a file is complete or unchanged") {
    for (const auto& download : downloads())
        sweep_calls(swept_errors({"ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EACCES", "EAGAIN", "EIO",
                                  "EPERM", "EROFS", "ENOBUFS", "ENOLCK", "ECONNRESET", "EPIPE"}),
                    [&](const std::string& fault) { return fails_somewhere(download, fault); });
}
