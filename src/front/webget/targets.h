// Which documents webget is to fetch, and what they are to be called here.
#pragma once

#include "download/workers.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct TargetOptions {
    std::optional<std::uint16_t> port;
    std::vector<std::string> outputs; // -o, in the order of the URLs
    bool remote_names = false;
    std::string directory;
    bool create_directories = false;
    bool no_clobber = false;
    std::optional<std::string> checksum;
    std::optional<std::string> list; // a file of URLs
};

// "HOST DOCUMENT..." or "URL...": numbered targets, with files and checksums where they have them.
// For the first form DOWNLOAD is told that heads are to be shown, and which Unix socket is meant.
// Makes directories, if that is asked for. Throws UsageError; TransferError with curl's status for
// what is no URL, and for a URL without a name for -O.
[[nodiscard]] std::vector<download::Target> find_targets(const std::vector<std::string>& operands,
                                                         const TargetOptions& options,
                                                         download::DownloadOptions& download);

} // namespace ipcbox::front
