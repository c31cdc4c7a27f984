#include "process/signal_table.h"

#include "core/exit_status.h"
#include "core/number.h"
#include "core/signals.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/core.h>

namespace ipcbox::process {

namespace {

constexpr std::array dumping{SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                             SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
constexpr std::array ignored{SIGCHLD, SIGURG, SIGWINCH};
constexpr std::array stopping{SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

bool is_one_of(int signal, const auto& signals) {
    return std::ranges::find(signals, signal) != signals.end();
}

bool is_for_programs(int number) {
    return number >= 1 && number <= SIGRTMAX && (number < 32 || number >= SIGRTMIN);
}

} // namespace

std::string_view default_action(int signal) {
    if (is_one_of(signal, dumping)) return "core";
    if (is_one_of(signal, ignored)) return "ignore";
    if (is_one_of(signal, stopping)) return "stop";
    return signal == SIGCONT ? "continue" : "terminate";
}

bool can_be_caught(int signal) {
    return signal != SIGKILL && signal != SIGSTOP;
}

std::vector<std::string> other_names(int signal) {
    switch (signal) {
    case SIGABRT:
        return {"IOT"};
    case SIGCHLD:
        return {"CLD"};
    case SIGIO:
        return {signal_name(signal) == "IO" ? "POLL" : "IO"};
    default:
        return signal == SIGRTMAX ? std::vector<std::string>{"RTMAX"} : std::vector<std::string>{};
    }
}

std::vector<int> all_signal_numbers() {
    std::vector<int> numbers;
    for (int number = 1; number <= SIGRTMAX; ++number)
        if (is_for_programs(number)) numbers.push_back(number);
    return numbers;
}

std::optional<std::string> translate_signal(std::string_view text) {
    if (const auto number = whole_number<int>(text)) {
        constexpr int base = exit_status::signal_base;
        const int signal = *number > base ? *number - base : *number;
        return is_for_programs(signal) ? std::optional{signal_name(signal)} : std::nullopt;
    }
    const auto number = signal_number(text);
    return number ? std::optional{fmt::format("{}", *number)} : std::nullopt;
}

} // namespace ipcbox::process
