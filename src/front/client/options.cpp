#include "front/client/options.h"

#include "cli/values.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::front {

namespace {

std::string parse_path(std::string_view text) {
    const bool is_plain =
        std::ranges::all_of(text, [](char byte) { return byte > ' ' && byte < '\x7f'; });
    if (!text.starts_with('/') || !is_plain)
        throw std::invalid_argument("expected the path of a URL, beginning with /");
    return std::string{text};
}

} // namespace

void declare(cli::Options& options, ClientOptions& into, std::string_view target,
             const std::function<std::string(std::string_view)>& parse_target) {
    options.command(into.command);
    options.section("Connecting");
    options.value("-w,--connect-timeout DURATION", into.connect_limit, cli::parse_time_limit,
                  "give up connecting after this time (0: never)");
    options.flag("--wait", into.retry,
                 "if no server answers, try again for 30 s or the time of -w");
    options.flag("-z,--test", into.test_only, "only test whether the server answers");
    options.flag("--haproxy-protocol", into.haproxy_protocol,
                 "begin with a PROXY header (version 1)");
    options.section("Waiting");
    options.values(fmt::format("--wait-for {}", target), into.wait_for, parse_target,
                   "wait until this server answers, then run COMMAND; can be given more than once");
    options.flag("--any", into.any, "with --wait-for: wait for only one of the servers");
    options.flag("--closed", into.closed,
                 "with --wait-for: wait until the server refuses connections");
    options.value(
        "--http PATH", into.http_path, parse_path,
        "with --wait-for or -z: the server must answer GET PATH over HTTP with a status below 400");
    options.section("Input and output");
    options.flag("-s,--send", into.send,
                 "send standard input even if it is a terminal or /dev/null");
    options.value("-i,--idle-timeout DURATION", into.idle_limit, cli::parse_time_limit,
                  "give up if nothing is sent or received for this long (0: never)");
    options.value("--quit-after DURATION", into.quit_after, cli::parse_duration,
                  "exit at most this long after the input or the answer has ended");
    options.value("--max-bytes SIZE", into.max_bytes, cli::parse_size,
                  "print at most SIZE bytes, and fail if the answer is longer");
    options.value("-o,--output FILE", into.output, cli::parse_file,
                  "write the answer to FILE (-: standard output)");
    options.flag("--raw", into.raw, "print control characters unchanged, even on a terminal");
    options.flag("--timing", into.timing, "print how long each step took");
    options.json(into.json);
}

void parse(cli::Options& options, ClientOptions& into) {
    into.verbosity = options.parse();
    const bool waits = !into.wait_for.empty();
    if (!into.command.empty() && !waits)
        throw cli::UsageError(fmt::format("unexpected operand '{}': a command needs --wait-for",
                                          into.command.front()));
    if (!waits && (into.any || into.closed))
        throw cli::UsageError("--any and --closed need --wait-for");
    if (waits && (into.send || into.test_only || into.json || into.timing || into.output ||
                  into.quit_after || into.max_bytes))
        throw cli::UsageError("--wait-for cannot be combined with -s, -z, -o, -J, --timing, "
                              "--max-bytes or --quit-after");
    if (into.http_path && !waits && !into.test_only)
        throw cli::UsageError("--http needs --wait-for or -z");
    if (into.http_path && into.closed)
        throw cli::UsageError("--http and --closed cannot be combined");
    if (into.test_only && (into.send || into.output || into.max_bytes))
        throw cli::UsageError("-z cannot be combined with -s, -o or --max-bytes");
    const bool to_file = into.output && *into.output != "-";
    if (into.json && !to_file && !into.test_only)
        throw cli::UsageError(
            "--json needs -o FILE or -z, because the answer goes to standard output");
}

} // namespace ipcbox::front
