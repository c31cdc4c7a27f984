// The options that tcp-client and catsock-client share.
#pragma once

#include "cli/options.h"
#include "core/deadline.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

struct ClientOptions {
    std::optional<Duration> connect_limit; // Duration::max(): no limit
    std::vector<std::string> wait_for;
    std::optional<std::string> http_path;
    std::optional<Duration> idle_limit;
    std::optional<Duration> quit_after;
    std::optional<std::uint64_t> max_bytes;
    std::optional<std::string> output;
    std::vector<std::string> command;
    bool send = false;
    bool retry = false;
    bool test_only = false;
    bool any = false;
    bool closed = false;
    bool haproxy_protocol = false;
    bool raw = false;
    bool timing = false;
    bool json = false;
    cli::Verbosity verbosity;
};

// TARGET is the name of a target in the help, and PARSE_TARGET checks a target.
void declare(cli::Options& options, ClientOptions& into, std::string_view target,
             const std::function<std::string(std::string_view)>& parse_target);

// Parses the line. Throws UsageError, even for options that exclude each other.
void parse(cli::Options& options, ClientOptions& into);

} // namespace ipcbox::front
