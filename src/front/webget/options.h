// The command line of webget: curl's names for what curl can do.
#pragma once

#include "cli/options.h"
#include "download/workers.h"

#include <string>
#include <vector>

namespace ipcbox::front {

struct FetchConfig {
    download::DownloadOptions download;
    std::vector<download::Target> targets;
    int workers = 1;
    std::string write_out; // -w
    bool json = false;
    bool dry_run = false;
    bool show_progress = false;
    bool tell_errors = true;
    cli::Verbosity verbosity;
};

// Parses the line, and reads the files that it names. Throws UsageError, Error.
[[nodiscard]] FetchConfig parse_fetch_options(const Invocation& invocation);

} // namespace ipcbox::front
