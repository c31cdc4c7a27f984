// A worker that fetches documents, one after the other, over connections of its own.
#pragma once

#include "download/ordered_output.h"
#include "download/receiver.h"
#include "download/requests.h"
#include "download/target.h"
#include "http/pipeline.h"

#include <span>

namespace ipcbox::download {

// Only one thread may use it.
class Downloader {
  public:
    // OUTPUT takes the documents for standard output. PROGRESS may be null.
    Downloader(const DownloadOptions& options, OrderedOutput& output, Progress* progress);

    // Fetches the first of TARGETS; the others will be next, in their order. Never throws
    // TransferError, SysError or TimedOut: they are in the outcome.
    [[nodiscard]] Outcome fetch(std::span<const Target> targets);

  private:
    const DownloadOptions& options_;
    OrderedOutput& output_;
    Progress* progress_;
    http::Pipeline pipeline_;
    RequestQueue requests_;
    std::size_t number_ = 0; // of the target that is being fetched
};

} // namespace ipcbox::download
