// udptime - tell how far other machines' clocks differ from ours, over UDP
#include "front/clocks/command.h"

namespace ipcbox {
namespace {

// RFC 868 over UDP, with the columns and the ten seconds of perlipc.
constexpr front::ClockKind kind{
    .source = clocks::Source::time_udp,
    .patience = std::chrono::seconds{10},
    .patience_for = front::ClockKind::PatienceFor::all,
    .interval = std::chrono::microseconds{100},
    .name_columns = 12,
    .example = "udptime -g 192.0.2.0/24 --as-completed",
    .example_text = "find the time servers of a network",
};

int run(const Invocation& invocation) {
    return front::run_clocks(invocation, kind);
}

} // namespace

extern constexpr Applet udptime{"measure the clocks of many machines at once over UDP", run};

} // namespace ipcbox
