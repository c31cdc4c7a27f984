// One host in the tables and objects of timecheck and udptime. Nothing here prints.
#pragma once

#include "cli/json.h"
#include "clocks/survey.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// Whether there is no usable time: no answer, or a clock that was never set.
[[nodiscard]] bool has_failed(const clocks::Answer& answer);

// Remarks on an answer, such as "never set" or "taken for local time". A table has them in
// parentheses, an object as "remarks".
[[nodiscard]] std::vector<std::string> remarks_of(const clocks::Answer& answer);

// "+/-0.50 s" and "+0.22 s +/-0.50 s".
[[nodiscard]] std::string error_text(Duration error);
[[nodiscard]] std::string offset_text(const clocks::Reading& reading);

struct RowForm {
    std::size_t name_columns = 24; // names that are longer shift their row
    bool detailed = false;         // rows with error and source
};

// The row of our own clock, and that of a host, with the drift in millionths if it is known. Both
// end with a line feed, and have the same columns: the name, the offset, in a detailed row the
// error and the source, and the time of the clock. A host without a time has "-" and the reason.
[[nodiscard]] std::string own_row(const RowForm& form, std::time_t now);
[[nodiscard]] std::string host_row(const RowForm& form, std::string_view name,
                                   const clocks::Finding& finding, std::optional<double> drift_ppm);

// The columns that the names of all hosts need, at least MIN. With NUMERIC, these are addresses;
// those that have to be looked up are not known yet.
enum class HostNames { written, numeric };
[[nodiscard]] std::size_t name_columns_for(const std::vector<clocks::Host>& hosts, HostNames names,
                                           net::Family family, std::size_t min);

// Adds the facts about a host to an object, from "host" to "remarks"; "error" comes last.
void describe_host(cli::JsonLine& object, const clocks::Host& host, const clocks::Finding& finding,
                   std::optional<double> drift_ppm);

} // namespace ipcbox::front
