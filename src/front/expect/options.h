// What the command line of pty-expect says.
#pragma once

#include "applet.h"
#include "cli/options.h"
#include "core/deadline.h"
#include "expect/matcher.h"
#include "expect/script.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct ExpectOptions {
    enum class Work { talk, check, plan } work = Work::talk;
    expect::Script script;
    Duration limit = std::chrono::seconds{10};
    std::size_t max_buffer = 64UL * 1024;
    expect::Sequences sequences = expect::Sequences::kept;
    bool shows_input = true;
    bool hides_output = false;
    bool json = false;
    std::string log;
    std::string record;              // a file for the script of what a person does
    std::optional<std::string> tcp;  // HOST:PORT
    std::optional<std::string> path; // of a Unix-domain socket
    std::vector<std::string> command;
    cli::Verbosity verbosity;
};

// Parses the line and the script. Throws UsageError, ScriptError, and SysError for a script that
// cannot be read.
[[nodiscard]] ExpectOptions parse_expect_options(const Invocation& invocation);

} // namespace ipcbox::front
