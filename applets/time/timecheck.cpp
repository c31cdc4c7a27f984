// timecheck - tell how far other machines' clocks differ from ours, over TCP
#include "front/clocks/command.h"

namespace ipcbox {
namespace {

constexpr front::ClockKind kind{
    .source = clocks::Source::time,
    .example = "timecheck alpha beta:2037 192.0.2.7",
    .example_text = "ask three hosts at the same time",
};

int run(const Invocation& invocation) {
    return front::run_clocks(invocation, kind);
}

} // namespace

extern constexpr Applet timecheck{"measure how far the clocks of other machines are off", run};

} // namespace ipcbox
