// The results of timecheck and udptime for all hosts together: which of them agree, and a summary.
// Nothing here prints.
#pragma once

#include "clocks/agreement.h"
#include "clocks/host_list.h"
#include "clocks/reading.h"

#include <span>
#include <string>
#include <vector>

namespace ipcbox::front {

struct HostReading {
    std::size_t number = 0; // of the host
    clocks::Reading reading;
};

[[nodiscard]] clocks::Agreement agreement_of(std::span<const HostReading> readings);

// Lines for people, or one object (JSON), with the names of the hosts that do not agree.
[[nodiscard]] std::string consensus_text(const clocks::Agreement& agreement,
                                         std::span<const HostReading> readings,
                                         const std::vector<clocks::Host>& hosts);
[[nodiscard]] std::string consensus_object(const clocks::Agreement& agreement,
                                           std::span<const HostReading> readings,
                                           const std::vector<clocks::Host>& hosts);

// The same for the offsets: the least, the median and the greatest one. FAILED hosts have no
// reading. With a picture, the text shows how many clocks have which offset.
enum class Picture { none, bars };
[[nodiscard]] std::string summary_text(std::span<const HostReading> readings, std::size_t failed,
                                       Picture picture);
[[nodiscard]] std::string summary_object(std::span<const HostReading> readings, std::size_t failed);

} // namespace ipcbox::front
