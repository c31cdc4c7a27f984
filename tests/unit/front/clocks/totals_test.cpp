#include "front/clocks/totals.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;

namespace {

const std::vector<clocks::Host> hosts{clocks::parse_host("a"), clocks::parse_host("label=b"),
                                      clocks::parse_host("c")};

std::vector<HostReading> readings(const std::vector<Duration>& offsets) {
    std::vector<HostReading> all;
    for (std::size_t at = 0; at < offsets.size(); ++at)
        all.push_back({at, clocks::Reading{.said = clocks::wall_time(1'800'000'000),
                                           .offset = offsets[at],
                                           .error = 10ms,
                                           .resolution = 1us}});
    return all;
}

} // namespace

TEST_CASE("a consensus names the clocks outside of it, by their labels") {
    const auto all = readings({0s, 5s, 0s});
    const auto agreement = agreement_of(all);
    CHECK(consensus_text(agreement, all, hosts) ==
          "consensus: yes, 2 of 3 agree on +0.000 s +/-0.010 s\n"
          "falseticker: label\n");
    const auto object = nlohmann::json::parse(consensus_object(agreement, all, hosts));
    CHECK(object["members"] == 2);
    CHECK(object["of"] == 3);
    CHECK(object["majority"] == true);
    CHECK(object["falsetickers"] == nlohmann::json::array({"label"}));
}

TEST_CASE("without a majority nobody is called a falseticker") {
    const auto all = readings({0s, 5s});
    const auto text = consensus_text(agreement_of(all), all, hosts);
    CHECK(text.starts_with("consensus: no, only 1 of 2 agree on "));
    CHECK(text.find("disagrees: ") != std::string::npos);
    CHECK(consensus_text(agreement_of({}), {}, hosts) == "consensus: no, no host has answered\n");
}

TEST_CASE("a summary counts, and has the offsets in their order") {
    const auto all = readings({3s, -1s, 2s});
    CHECK(summary_text(all, 1, Picture::none) ==
          "summary: 3 answered, 1 failed; offset least -1.000 s, median +2.000 s, "
          "greatest +3.000 s\n");
    CHECK(summary_text(all, 1, Picture::bars).find("  ###") != std::string::npos);
    CHECK(summary_text({}, 2, Picture::bars) == "summary: 0 answered, 2 failed\n");
    const auto object = nlohmann::json::parse(summary_object(all, 1));
    CHECK(object["least"] == -1.0);
    CHECK(object["greatest"] == 3.0);
    CHECK(object["failed"] == 1);
    CHECK_FALSE(nlohmann::json::parse(summary_object({}, 0)).contains("least"));
}
