#include "front/clocks/rows.h"

#include "clocks/daytime.h"
#include "clocks/statistics.h"
#include "core/date.h"

#include <algorithm>
#include <fmt/format.h>

namespace ipcbox::front {

namespace {

using clocks::Flag;
using clocks::Leap;

constexpr std::size_t offset_columns = 8;
constexpr std::size_t detail_columns = 14; // for the offset and for the error
constexpr std::size_t source_columns = 11;

std::time_t whole(clocks::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// "UTC+05:30"
std::string zone_text(std::chrono::minutes ahead) {
    const auto minutes = std::chrono::abs(ahead).count();
    return fmt::format("UTC{}{:02}:{:02}", ahead.count() < 0 ? '-' : '+', minutes / 60,
                       minutes % 60);
}

std::string_view word_for(Leap leap) {
    constexpr std::string_view words[] = {"none", "insert", "remove", "unknown"};
    return words[static_cast<std::size_t>(leap)];
}

std::string detailed_start(const RowForm& form, std::string_view name, std::string_view offset,
                           std::string_view error, std::string_view source) {
    return fmt::format("{:<{}} {:>{}} {:>{}} {:<{}}", name, form.name_columns, offset,
                       detail_columns, error, detail_columns, source, source_columns);
}

void describe_reading(cli::JsonLine& object, const clocks::Reading& reading) {
    object.set("offset", in_seconds(reading.offset))
        .set("uncertainty", in_seconds(reading.error))
        .set("round_trip", in_seconds(reading.round_trip))
        .set("time", clocks::iso_time(whole(reading.said)));
    const auto flag = clocks::flag_of(reading);
    if (flag != Flag::none)
        object.set("flag", flag == Flag::not_set ? "not-set" : "day-off");
    else
        object.set_null("flag");
}

} // namespace

bool has_failed(const clocks::Answer& answer) {
    return !answer.reading || clocks::flag_of(*answer.reading) == Flag::not_set;
}

std::vector<std::string> remarks_of(const clocks::Answer& answer) {
    std::vector<std::string> remarks;
    const auto flag = answer.reading ? clocks::flag_of(*answer.reading) : Flag::none;
    if (flag == Flag::not_set) remarks.emplace_back("never set");
    if (flag == Flag::day_off) remarks.emplace_back("off by a day or more");
    if (const auto& daytime = answer.daytime) {
        if (!daytime->states_zone) remarks.emplace_back("taken for local time");
        if (const auto& zone = daytime->guessed_zone)
            remarks.push_back(
                fmt::format("ambiguous zone {}, taken for {}", zone->name, zone_text(zone->ahead)));
        if (daytime->health == 1U)
            remarks.emplace_back("says that it may be 5 s off");
        else if (daytime->health.value_or(0) != 0)
            remarks.push_back(fmt::format("says that it is not healthy: {}", *daytime->health));
    }
    if (answer.leap == Leap::insert) remarks.emplace_back("announces a leap second");
    if (answer.leap == Leap::remove)
        remarks.emplace_back("announces that a second will be left out");
    return remarks;
}

std::string error_text(Duration error) {
    return "+/-" + clocks::seconds_text(error, error).substr(1);
}

std::string offset_text(const clocks::Reading& reading) {
    return fmt::format("{} {}", clocks::seconds_text(reading.offset, reading.error),
                       error_text(reading.error));
}

std::string own_row(const RowForm& form, std::time_t now) {
    constexpr std::string_view name = "localhost";
    const auto start =
        form.detailed ? detailed_start(form, name, "0 s", "+/-0 s", "-")
                      : fmt::format("{:<{}} {:>{}}", name, form.name_columns, 0, offset_columns);
    return fmt::format("{} {}\n", start, date_text(now));
}

std::string host_row(const RowForm& form, std::string_view name, const clocks::Finding& finding,
                     std::optional<double> drift_ppm) {
    const auto& answer = finding.answer;
    if (!answer.reading)
        return fmt::format("{:<{}} {:>{}} {}\n", name, form.name_columns, "-",
                           form.detailed ? detail_columns : offset_columns, answer.problem);
    const auto& reading = *answer.reading;
    const auto start =
        form.detailed
            ? detailed_start(form, name, clocks::seconds_text(reading.offset, reading.error),
                             error_text(reading.error), clocks::name_of(finding.source))
            : fmt::format("{:<{}} {:>{}}", name, form.name_columns, clocks::whole_seconds(reading),
                          offset_columns);
    auto row = fmt::format("{} {}", start, date_text(whole(reading.said)));
    const auto remarks = remarks_of(answer);
    if (!remarks.empty()) row += fmt::format(" ({})", fmt::join(remarks, ", "));
    if (drift_ppm) row += fmt::format(" {:+.3g} ppm", *drift_ppm);
    return row + '\n';
}

std::size_t name_columns_for(const std::vector<clocks::Host>& hosts, HostNames names,
                             net::Family family, std::size_t min) {
    constexpr std::size_t longest_ipv4 = 15; // 255.255.255.255
    constexpr std::size_t longest_ipv6 = 39; // eight groups of four digits
    const auto looked_up = family == net::Family::ipv4 ? longest_ipv4 : longest_ipv6;
    auto columns = min;
    for (const auto& host : hosts) {
        const bool is_looked_up =
            names == HostNames::numeric && !net::Address::parse_ip(host.name, 0);
        const auto& name = names == HostNames::numeric ? host.name : host.called();
        columns = std::max(columns, is_looked_up ? looked_up : name.size());
    }
    return columns;
}

void describe_host(cli::JsonLine& object, const clocks::Host& host, const clocks::Finding& finding,
                   std::optional<double> drift_ppm) {
    const auto& [answer, source, address] = finding;
    object.set("host", host.text);
    if (!host.label.empty()) object.set("label", host.label);
    if (address.family() == AF_UNSPEC)
        object.set_null("address").set_null("port").set_null("source");
    else
        object.set("address", address.host())
            .set("port", address.port())
            .set("source", clocks::name_of(source));
    if (answer.reading) describe_reading(object, *answer.reading);
    if (answer.sntp || (answer.daytime && answer.daytime->health))
        object.set("leap", word_for(answer.leap));
    if (answer.sntp) object.set("stratum", answer.sntp->stratum);
    if (answer.sntp) object.set("reference", answer.sntp->reference);
    if (const auto& daytime = answer.daytime) {
        object.set_flag("states_zone", daytime->states_zone);
        if (daytime->health) object.set("health", *daytime->health);
    }
    if (drift_ppm) object.set("drift_ppm", *drift_ppm);
    object.set("remarks", remarks_of(answer));
}

} // namespace ipcbox::front
