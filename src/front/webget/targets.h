// Which documents webget fetches, and the names of their files.
#pragma once

#include "download/target.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct Schemes;

struct TargetOptions {
    std::vector<std::string> sources; // operands, and the values of --url, in their order
    bool has_urls = false;            // one is a value of --url: then all are URLs
    std::optional<std::string> list;  // --urls: a file of URLs
    std::optional<std::uint16_t> port;
    bool globoff = false;
    std::string default_scheme = "http";
    std::vector<std::string> outputs; // -o, in the order of the URLs
    bool remote_names = false;
    std::string directory;
    bool create_directories = false;
    bool no_clobber = false;
    std::optional<std::string> checksum;
};

// "http" or "https". Throws std::invalid_argument for another.
[[nodiscard]] std::string parse_default_scheme(std::string_view text);

// "HOST DOCUMENT..." or "URL...": numbered targets, with their files and checksums. The first form
// needs a HOST without /, ? and #, and a document; everything else is a URL. The first form makes
// DOWNLOAD print heads, and sets its Unix socket. QUERY is added to each URL. Creates directories
// if the user wants that. Throws UsageError, and TransferError with curl's status for a text that
// is not a URL, for a protocol that SCHEMES forbid, and for a URL that names no file for -O.
[[nodiscard]] std::vector<download::Target> find_targets(const TargetOptions& options,
                                                         const Schemes& schemes,
                                                         const std::string& query,
                                                         download::DownloadOptions& download);

} // namespace ipcbox::front
