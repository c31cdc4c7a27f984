// signal-list - translate signal names, numbers and masks
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/signals.h"
#include "core/wait_status.h"
#include "process/signal_masks.h"
#include "process/signal_table.h"

#include <fmt/format.h>
#include <stdexcept>

namespace ipcbox {
namespace {

struct Config {
    std::vector<std::string> words;
    bool table = false;
    std::vector<int> wait_statuses;
    std::vector<process::SignalMask> masks;
    bool json = false;
    cli::Verbosity verbosity;
};

process::SignalMask parse_mask(std::string_view text) {
    if (const auto mask = process::parse_signal_mask(text)) return *mask;
    throw std::invalid_argument("expected a hexadecimal mask of signals such as fffffffe57f0d8fc");
}

int parse_wait_status(std::string_view text) {
    const int status = cli::number_between(0, 0xffff)(text);
    // This is the low byte of a stopped process, without the signal that stopped it.
    if (status == 0x7f)
        throw std::invalid_argument("expected a status of wait(2): 127 is none; that of a program "
                                    "that exits with 127 is 32512");
    return status;
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[SIGNAL|NUMBER|STATUS...]"};
    options.operands(
        "SIGNAL", config.words, cli::parse_text,
        "a name, to get its number; or a number or an exit status (128 + number), to get the name");
    options.flag("-L,--table", config.table, "list all signals (the default without operands)");
    options.values("--wait-status NUMBER", config.wait_statuses, parse_wait_status,
                   "print the meaning of this status of wait(2), or of $? in Perl");
    options.values("--mask HEX", config.masks, parse_mask,
                   "print the names of the signals in this mask, as in /proc/PID/status");
    options.json(config.json);
    options.example("signal-list 143", "find out that a command with status 143 died of TERM");
    options.example("kill -$(signal-list RTMIN+1) 812", "get a number for a kill without names");
    options.example("signal-list --mask 4002", "translate a mask, here to INT TERM");
    config.verbosity = options.parse();
    const bool asks =
        !config.words.empty() || !config.wait_statuses.empty() || !config.masks.empty();
    if (config.table && asks)
        throw cli::UsageError("--table cannot be combined with SIGNAL, --wait-status or --mask");
    config.table = !asks;
    return config;
}

void print_table(bool json) {
    if (!json)
        cli::print_line("{:>3} {:<9}{:<9}{:<10} {}", "NUM", "NAME", "ALSO", "DEFAULT", "CATCH");
    for (const int number : process::all_signal_numbers()) {
        const auto name = signal_name(number);
        const auto others = process::other_names(number);
        const bool catchable = process::can_be_caught(number);
        if (json)
            cli::JsonLine{}
                .set("number", number)
                .set("name", name)
                .set("aliases", others)
                .set("default", process::default_action(number))
                .set_flag("catch", catchable)
                .print();
        else
            cli::print_line("{:>3} {:<9}{:<9}{:<10} {}", number, name,
                            others.empty() ? "-" : fmt::format("{}", fmt::join(others, ",")),
                            process::default_action(number), catchable ? "yes" : "no");
    }
}

// Prints what ASKED means, as the member NAME. False when it means nothing.
bool answer(const Config& config, std::string_view asked, const std::optional<std::string>& meaning,
            std::string_view failure) {
    if (!meaning) {
        const auto near = nearest_signal_name(asked);
        cli::diagnose(fmt::format("{} '{}'{}", failure, asked,
                                  near.empty() ? "" : fmt::format("; did you mean {}?", near)));
        return false;
    }
    if (config.json)
        cli::JsonLine{}.set("asked", asked).set("meaning", *meaning).print();
    else
        cli::print_line("{}", *meaning);
    return true;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    bool all = true;
    if (config.table) print_table(config.json);
    for (const auto& word : config.words)
        all &= answer(config, word, process::translate_signal(word), "unknown signal");
    for (const int status : config.wait_statuses)
        all &= answer(config, fmt::format("{}", status), raw_wait_status_text(status),
                      "no process ends with the wait status");
    for (const auto mask : config.masks)
        all &= answer(config, fmt::format("{:x}", mask),
                      fmt::format("{}", fmt::join(process::names_in(mask), " ")), "");
    return all ? exit_status::done : exit_status::failed;
}

} // namespace

extern constexpr Applet signal_list{"translate signal names, numbers and masks", run};

} // namespace ipcbox
