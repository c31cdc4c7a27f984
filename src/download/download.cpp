#include "download/download.h"

#include "download/transfer.h"

namespace ipcbox::download {

Downloader::Downloader(const DownloadOptions& options, OrderedOutput& output, Progress* progress)
    : options_(options), output_(output), progress_(progress), pipeline_(options.route),
      requests_(options) {
    pipeline_.set_before_wait([this] { (void)output_.flush(number_, Deadline::never()); });
}

Outcome Downloader::fetch(std::span<const Target> targets) {
    number_ = targets.front().number;
    const TransferTools tools{options_, pipeline_, requests_, output_, progress_};
    return Transfer{tools, targets}.run();
}

} // namespace ipcbox::download
