// The command line of webget, with curl's names for all that curl can do.
#pragma once

#include "cli/options.h"
#include "cookies/jar.h"
#include "download/target.h"

#include <memory>
#include <optional>
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
    std::optional<std::string> head_file;  // -D; "-" is standard output
    std::shared_ptr<cookies::Jar> jar;     // none: cookies are neither kept nor sent
    std::optional<std::string> cookie_jar; // where the jar is written to at the end
    std::vector<std::string> warnings;     // about the command line, for standard error
};

// Parses the line, and reads the files that it names. Throws UsageError, Error.
[[nodiscard]] FetchConfig parse_fetch_options(const Invocation& invocation);

} // namespace ipcbox::front
