#include "process/dispositions.h"

#include "core/error.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "process/signal_table.h"

#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::process {

namespace {

void set_all(const std::vector<int>& signals, sighandler_t handler) {
    struct sigaction action {};
    action.sa_handler = handler;
    for (const int signal : signals)
        if (sys::call("sigaction", ::sigaction, signal, &action, nullptr) < 0)
            throw SysError("set the handling of", signal_name(signal));
}

int signal_in(std::string_view text) {
    const auto number = signal_number(text);
    if (!number) {
        const auto near = nearest_signal_name(text);
        throw std::invalid_argument(near.empty()
                                        ? "expected signals such as TERM,INT, or all"
                                        : fmt::format("no such signal; did you mean {}?", near));
    }
    if (!can_be_caught(*number))
        throw std::invalid_argument(
            fmt::format("{} cannot be ignored, blocked or caught", signal_name(*number)));
    return *number;
}

} // namespace

std::vector<int> parse_signals(std::string_view text) {
    std::vector<int> signals;
    if (text == "all" || text == "ALL") {
        for (const int number : all_signal_numbers())
            if (can_be_caught(number)) signals.push_back(number);
        return signals;
    }
    for (;;) {
        const auto comma = text.find(',');
        signals.push_back(signal_in(text.substr(0, comma)));
        if (comma == std::string_view::npos) return signals;
        text.remove_prefix(comma + 1);
    }
}

void ignore_signals(const std::vector<int>& signals) {
    set_all(signals, SIG_IGN);
}

void set_default(const std::vector<int>& signals) {
    set_all(signals, SIG_DFL);
}

void block_in_programs(const std::vector<int>& signals) {
    sigset_t mask = inherited_signals();
    for (const int signal : signals)
        sigaddset(&mask, signal);
    correct_inherited_signals(mask);
}

} // namespace ipcbox::process
