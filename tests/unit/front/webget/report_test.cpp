#include "front/webget/report.h"

#include "cli/options.h"
#include "front/webget/write_out.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;

namespace {

download::Target target(std::string file = "doc") {
    download::Target target;
    target.url = http::Url::parse("http://u:p@host/doc");
    target.file = std::move(file);
    return target;
}

// 1000 bytes in half a second, after a redirect.
download::Outcome fetched() {
    const Deadline::Clock::time_point start{1000s};
    download::Outcome outcome;
    outcome.url = http::Url::parse("https://other/there");
    outcome.head = http::ResponseHead{
        10,
        206,
        "Partial",
        {{"content-type", "text/plain"}, {"Location", "../a"}, {"X", "1"}, {"x", "2"}},
        "0123456789"};
    outcome.bytes = 1000;
    outcome.resumed_at = 24;
    outcome.began = start;
    outcome.milestones = {start + 100ms, start + 110ms, start + 130ms, start + 160ms,
                          start + 200ms};
    outcome.ended = start + 500ms;
    outcome.file = "doc";
    outcome.redirects = 1;
    outcome.retries = 2;
    return outcome;
}

download::Outcome failed() {
    download::Outcome outcome;
    outcome.url = http::Url::parse("http://host/doc");
    outcome.status = 7;
    outcome.error = "cannot connect";
    return outcome;
}

std::string written(std::string_view format, const download::Outcome& outcome = fetched()) {
    return write_out(format, target(), outcome).out;
}

} // namespace

TEST_CASE("curl's variables have their values") {
    CHECK(written("%{content_type} %{filename_effective} %{http_code} %{response_code}") ==
          "text/plain doc 206 206");
    CHECK(written("%{http_version} %{num_redirects} %{num_retries} %{scheme} %{size_header}") ==
          "1.0 1 2 https 0");
    CHECK(written("%{url} %{url_effective} %{redirect_url}") ==
          "http://host/doc https://other/there https://other/a");
    CHECK(written("%{size_download} %{speed_download} %{time_total}") == "1000 2000 0.500000");
    CHECK(written("%{time_namelookup} %{time_connect} %{time_appconnect} %{time_starttransfer}") ==
          "0.010000 0.030000 0.060000 0.100000");
    CHECK(written("%{errormsg}|%{exitcode}") == "|0");
}

TEST_CASE("an unknown variable has a value anyway") {
    CHECK(written("%{http_code} %{http_version} %{size_header} %{exitcode} %{errormsg}",
                  failed()) == "000 0 0 7 cannot connect");
    CHECK(written("%{content_type}%{redirect_url}%header{X}", failed()).empty());
    CHECK(written("%{speed_download} %{time_total} %{time_appconnect}", failed()) ==
          "0 0.000000 0.000000");
    auto outcome = fetched();
    outcome.head->fields = {{"Location", "ftp://host/"}};
    CHECK(written("%{redirect_url}", outcome) == "ftp://host/");
    outcome.head->fields = {{"Location", "done#token=1"}};
    CHECK(written("%{redirect_url}", outcome) == "https://other/done#token=1");
}

TEST_CASE("headers and escapes are replaced, and other text stays") {
    CHECK(written("%header{X}%header{CONTENT-type}%header{none}.") == "1text/plain.");
    CHECK(written(R"(\n\r\t\\\x\)") == "\n\r\t\\\\\\x\\");
    CHECK(written("100 % %% %%{url} %x % {") == "100 % % %{url} %x % {");
    CHECK(written("").empty());
    for (const auto* format : {"%{", "a%{url", "%{url%", "%header{X"})
        CHECK_THROWS_WITH_AS((void)written(format), "--write-out: the } after %{ is missing",
                             cli::UsageError);
    CHECK_THROWS_WITH_AS((void)written("%{none}"), "--write-out: there is no %{none}",
                         cli::UsageError);
    for (const auto* format : {"%{}", "%{URL}", "%{ url}", "%{header{X}}"})
        CHECK_THROWS_AS((void)written(format), cli::UsageError);
}

TEST_CASE("a mistake in a format is known before anything is fetched") {
    CHECK_THROWS_AS(check_format("%{url_effective}%{redirect_url}%{time_total}%{none}"),
                    cli::UsageError);
    CHECK_THROWS_AS(check_format("%{onerror}%{none}"), cli::UsageError);
    CHECK_NOTHROW(check_format("%{url_effective}%{redirect_url}%{time_total}%{scheme}"));
}

TEST_CASE("a format is written to both streams, or only after an error") {
    const auto both = write_out("a%{stderr}b%{stdout}c", target(), fetched());
    CHECK(both.out == "ac");
    CHECK(both.err == "b");
    CHECK(written("a%{onerror}b") == "a");
    CHECK(written("a%{onerror}b", failed()) == "ab");
}

TEST_CASE("all variables and all heads are written as JSON") {
    auto outcome = fetched();
    outcome.error = "a \"quoted\" \x01 error";
    outcome.method = "GET";
    const auto all = nlohmann::json::parse(written("%{json}", outcome));
    CHECK(all["http_code"] == 206);
    CHECK(all["errormsg"] == outcome.error);
    CHECK(all["method"] == "GET");
    CHECK(all["time_total"] == 0.5);
    CHECK(all["referer"].is_null());
    CHECK(nlohmann::json::parse(written("%{json}", failed()))["http_code"] == 0);
    const auto heads = nlohmann::json::parse(written("%{header_json}", outcome));
    CHECK(heads["x"] == nlohmann::json::array({"1", "2"}));
    CHECK(heads["location"] == nlohmann::json::array({"../a"}));
    CHECK(written("%{header_json}", failed()) == "{}");
}

TEST_CASE("sizes, addresses and times are those of the transfer") {
    auto outcome = fetched();
    outcome.head_bytes = 300;
    outcome.request_bytes = 90;
    outcome.uploaded = 500;
    outcome.connects = 2;
    outcome.local = {"127.0.0.1", 4000};
    outcome.remote = {"127.0.0.2", 80};
    CHECK(written("%{size_header} %{size_request} %{size_upload} %{speed_upload} %{num_connects}",
                  outcome) == "300 90 500 1000 2");
    CHECK(written("%{local_ip}:%{local_port} %{remote_ip}:%{remote_port}", outcome) ==
          "127.0.0.1:4000 127.0.0.2:80");
    CHECK(written("%{time_pretransfer} %{time_redirect} %{num_headers} %{ssl_verify_result}") ==
          "0.060000 0.100000 4 0");
}

TEST_CASE("each document has an object") {
    FetchConfig config;
    config.json = true;
    config.write_out = "behind";
    FetchReport report{config, [] {}};
    const auto text = report.tell(target(), fetched());
    REQUIRE(text.ends_with("}\nbehind"));
    const auto json = nlohmann::json::parse(text.substr(0, text.size() - 6));
    CHECK(json["url"] == "http://host/doc");
    CHECK(json["effective_url"] == "https://other/there");
    CHECK(json["status"] == 206);
    CHECK(json["headers"]["x"] == nlohmann::json::array({"1", "2"}));
    CHECK(json["file"] == "doc");
    CHECK(json["bytes"] == 1000);
    CHECK(json["resumed_at"] == 24);
    CHECK(json["tls_ms"] == 30);
    CHECK(json["first_byte_ms"] == 100);
    CHECK(json["total_ms"] == 500);
    CHECK(json["error"].is_null());
    CHECK(json["sha256"].is_null());

    config.write_out.clear();
    config.tell_errors = false;
    const auto none = nlohmann::json::parse(report.tell(target(""), failed()));
    CHECK(none["status"].is_null());
    CHECK(none["file"].is_null());
    CHECK(none["exit_status"] == 7);
    CHECK(none["error"] == "cannot connect");
    CHECK_FALSE(none.contains("headers"));
}

TEST_CASE("the worst status is that of all") {
    FetchConfig config;
    config.targets = {target(), target(), target()};
    config.tell_errors = false;
    FetchReport report{config, [] {}};
    CHECK(report.finish() == 0);
    CHECK(report.tell(target(), fetched()).empty());
    CHECK(report.tell(target(), failed()).empty());
    CHECK(report.tell(target(), fetched()).empty());
    CHECK(report.finish() == 7);
}
