#include "front/clocks/rows.h"

#include "core/date.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t moment = 1'800'000'000;

clocks::Finding finding(Duration offset, clocks::Source source = clocks::Source::ntp) {
    clocks::Finding result;
    result.answer.reading = clocks::Reading{.said = clocks::wall_time(moment),
                                            .offset = offset,
                                            .error = 1600us,
                                            .round_trip = 2ms,
                                            .resolution = 1us};
    result.source = source;
    result.address = net::Address::parse_ip("192.0.2.1", 123).value();
    return result;
}

clocks::Finding failure(const std::string& problem) {
    clocks::Finding result;
    result.answer.problem = problem;
    return result;
}

nlohmann::json described(const clocks::Finding& found, const clocks::Host& host) {
    cli::JsonLine object;
    describe_host(object, host, found, std::nullopt);
    return nlohmann::json::parse(object.text());
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a plain row is the manual page's") {
    const RowForm form{.name_columns = 12};
    const auto date = date_text(moment);
    CHECK(own_row(form, moment) == "localhost           0 " + date + "\n");
    CHECK(host_row(form, "alpha", finding(-90s), std::nullopt) ==
          "alpha             -90 " + date + "\n");
    CHECK(host_row(form, "gamma", failure("refused"), std::nullopt) ==
          "gamma               - refused\n");
}

TEST_CASE("a detailed row has the same columns for every clock, and for ours") {
    const RowForm form{.name_columns = 12, .detailed = true};
    const auto date = date_text(moment);
    CHECK(own_row(form, moment) ==
          "localhost               0 s         +/-0 s -           " + date + "\n");
    CHECK(host_row(form, "alpha", finding(0s), std::nullopt) ==
          "alpha             +0.0000 s    +/-0.0016 s ntp         " + date + "\n");
    CHECK(host_row(form, "gamma", failure("timed out"), std::nullopt) ==
          "gamma                     - timed out\n");
}

TEST_CASE("remarks and the drift follow the date") {
    auto found = finding(0s);
    found.answer.leap = clocks::Leap::insert;
    CHECK(host_row({}, "a", found, 12.5).ends_with(" (announces a leap second) +12.5 ppm\n"));
}

TEST_CASE("remarks on an answer are told in its words") {
    clocks::Answer answer = finding(0s).answer;
    CHECK(remarks_of(answer).empty());
    CHECK(remarks_of(clocks::Answer{}).empty());
    answer.reading->offset = 25h;
    CHECK(remarks_of(answer) == Texts{"off by a day or more"});
    answer = finding(0s).answer;
    answer.daytime = clocks::Daytime{.states_zone = false};
    CHECK(remarks_of(answer) == Texts{"taken for local time"});
    answer.daytime = clocks::Daytime{.states_zone = true};
    answer.daytime->guessed_zone = {"IST", std::chrono::minutes{330}};
    CHECK(remarks_of(answer) == Texts{"ambiguous zone IST, taken for UTC+05:30"});
    answer.daytime->guessed_zone = {"CST", -6h};
    CHECK(remarks_of(answer) == Texts{"ambiguous zone CST, taken for UTC-06:00"});
    answer.daytime = clocks::Daytime{.states_zone = true};
    answer.daytime->health = 0;
    CHECK(remarks_of(answer).empty());
    answer.daytime->health = 1;
    CHECK(remarks_of(answer) == Texts{"says that it may be 5 s off"});
    answer.daytime->health = 4;
    answer.leap = clocks::Leap::remove;
    CHECK(remarks_of(answer) ==
          Texts{"says that it is not healthy: 4", "announces that a second will be left out"});
}

TEST_CASE("the longest name makes the column of all") {
    const auto columns = [](const Texts& texts, HostNames names,
                            net::Family family = net::Family::any) {
        std::vector<clocks::Host> hosts;
        for (const auto& text : texts)
            hosts.push_back(clocks::parse_host(text));
        return name_columns_for(hosts, names, family, 12);
    };
    CHECK(columns({"a", "bb"}, HostNames::written) == 12);
    CHECK(columns({"a", "a-long.example.com:2037"}, HostNames::written) == 23);
    CHECK(columns({"db=a-long.example.com:2037"}, HostNames::written) == 12);
    CHECK(columns({"192.0.2.100:37"}, HostNames::numeric) == 12);
    CHECK(columns({"example.com"}, HostNames::numeric) == 39);
    CHECK(columns({"example.com"}, HostNames::numeric, net::Family::ipv4) == 15);
}

TEST_CASE("an object says what a row says") {
    const auto host = clocks::parse_host("db=192.0.2.1:123");
    auto found = finding(-1500ms);
    found.answer.sntp = clocks::SntpAnswer{.stratum = 2, .reference = "192.0.2.9"};
    found.answer.leap = clocks::Leap::insert;
    auto object = described(found, host);
    CHECK(object["host"] == "192.0.2.1:123");
    CHECK(object["label"] == "db");
    CHECK(object["offset"] == -1.5);
    CHECK(object["stratum"] == 2);
    CHECK(object["leap"] == "insert");
    CHECK(object["remarks"] == nlohmann::json::array({"announces a leap second"}));
    CHECK_FALSE(object.contains("states_zone"));

    // A refused answer is shown too.
    found.answer.reading.reset();
    found.answer.leap = clocks::Leap::unknown;
    object = described(found, host);
    CHECK(object["stratum"] == 2);
    CHECK(object["leap"] == "unknown");
    CHECK_FALSE(object.contains("offset"));
    object = described(failure("no such host"), clocks::parse_host("a"));
    CHECK(object["address"].is_null());
    CHECK(object["source"].is_null());
    CHECK_FALSE(object.contains("label"));
}
