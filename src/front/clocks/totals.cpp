#include "front/clocks/totals.h"

#include "cli/json.h"
#include "clocks/statistics.h"
#include "front/clocks/rows.h"

#include <fmt/format.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t picture_columns = 72;

std::vector<std::string> outsiders(const clocks::Agreement& agreement,
                                   std::span<const HostReading> readings,
                                   const std::vector<clocks::Host>& hosts) {
    std::vector<std::string> names;
    for (const auto at : agreement.falsetickers)
        names.push_back(hosts[readings[at].number].called());
    return names;
}

std::vector<Duration> offsets_of(std::span<const HostReading> readings) {
    std::vector<Duration> offsets;
    for (const auto& [number, reading] : readings)
        offsets.push_back(reading.offset);
    return offsets;
}

Duration median_error(std::span<const HostReading> readings) {
    std::vector<Duration> errors;
    for (const auto& [number, reading] : readings)
        errors.push_back(reading.error);
    return clocks::spread_of(std::move(errors)).value_or(clocks::Spread{}).median;
}

} // namespace

clocks::Agreement agreement_of(std::span<const HostReading> readings) {
    std::vector<clocks::Reading> all;
    for (const auto& [number, reading] : readings)
        all.push_back(reading);
    return clocks::find_agreement(all);
}

std::string consensus_text(const clocks::Agreement& agreement,
                           std::span<const HostReading> readings,
                           const std::vector<clocks::Host>& hosts) {
    if (readings.empty()) return "consensus: no, no host has answered\n";
    const bool is_majority = agreement.is_majority();
    auto text = fmt::format(
        "consensus: {} {} of {} agree on {} {}\n", is_majority ? "yes," : "no, only",
        agreement.members.size(), readings.size(),
        clocks::seconds_text(agreement.offset, agreement.error), error_text(agreement.error));
    // Without a majority, nobody knows which clocks are wrong.
    for (const auto& name : outsiders(agreement, readings, hosts))
        text += fmt::format("{}: {}\n", is_majority ? "falseticker" : "disagrees", name);
    return text;
}

std::string consensus_object(const clocks::Agreement& agreement,
                             std::span<const HostReading> readings,
                             const std::vector<clocks::Host>& hosts) {
    cli::JsonLine object;
    object.set("type", "consensus")
        .set("members", agreement.members.size())
        .set("of", readings.size())
        .set_flag("majority", agreement.is_majority())
        .set("offset", in_seconds(agreement.offset))
        .set("uncertainty", in_seconds(agreement.error))
        .set("falsetickers", outsiders(agreement, readings, hosts));
    return object.text();
}

std::string summary_text(std::span<const HostReading> readings, std::size_t failed,
                         Picture picture) {
    auto text = fmt::format("summary: {} answered, {} failed", readings.size(), failed);
    const auto spread = clocks::spread_of(offsets_of(readings));
    if (!spread) return text + '\n';
    const auto error = median_error(readings);
    text += fmt::format(
        "; offset least {}, median {}, greatest {}\n", clocks::seconds_text(spread->least, error),
        clocks::seconds_text(spread->median, error), clocks::seconds_text(spread->greatest, error));
    if (picture == Picture::bars)
        text += clocks::plot(offsets_of(readings), error, picture_columns);
    return text;
}

std::string summary_object(std::span<const HostReading> readings, std::size_t failed) {
    cli::JsonLine object;
    object.set("type", "summary").set("answered", readings.size()).set("failed", failed);
    if (const auto spread = clocks::spread_of(offsets_of(readings)))
        object.set("least", in_seconds(spread->least))
            .set("median", in_seconds(spread->median))
            .set("greatest", in_seconds(spread->greatest));
    return object.text();
}

} // namespace ipcbox::front
