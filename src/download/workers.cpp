#include "download/workers.h"

#include "core/thread.h"
#include "http/failure.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <span>

namespace ipcbox::download {

namespace {

class Crew {
  public:
    Crew(std::span<const Target> targets, const DownloadOptions& options, std::size_t workers,
         OrderedOutput& output, Progress* progress, const Report& report)
        : left_(targets), options_(options), workers_(workers), output_(output),
          progress_(progress), report_(report) {}

    void work() {
        try {
            Downloader downloader{options_, output_, progress_};
            for (auto claimed = claim(); !claimed.empty(); claimed = claim())
                for (; !claimed.empty(); claimed = claimed.subspan(1))
                    fetch(downloader, claimed);
        } catch (...) {
            const std::lock_guard lock{mutex_};
            if (!error_) error_ = std::current_exception();
            stop();
        }
    }
    void finish() {
        if (error_) std::rethrow_exception(error_);
        output_.flush();
    }

  private:
    // Takes several consecutive targets, so that one can be requested while another one comes.
    // Leaves enough for the other workers.
    std::span<const Target> claim() {
        const std::lock_guard lock{mutex_};
        const auto share = workers_ == 1 ? left_.size() : left_.size() / (2 * workers_);
        const auto limit = workers_ == 1 ? left_.size() : http::Pipeline::max_depth;
        const auto count = std::min(left_.size(), std::clamp<std::size_t>(share, 1, limit));
        const auto claimed = left_.first(count);
        left_ = left_.subspan(count);
        return claimed;
    }

    void fetch(Downloader& downloader, std::span<const Target>& claimed) {
        const auto& target = claimed.front();
        const auto outcome = downloader.fetch(claimed);
        std::string text;
        {
            const std::lock_guard lock{mutex_};
            text = report_(target, outcome);
            if (target.file.empty() && outcome.status == http::status::cannot_write) {
                stop();
                claimed = claimed.first(1);
                return;
            }
        }
        if (!text.empty()) output_.write(target.number, text, Deadline::never());
        output_.finish(target.number, Deadline::never());
    }

    void stop() {
        left_ = {};
        output_.give_up();
    }

    std::mutex mutex_;
    std::span<const Target> left_;
    std::exception_ptr error_;
    const DownloadOptions& options_;
    std::size_t workers_;
    OrderedOutput& output_;
    Progress* progress_;
    const Report& report_;
};

} // namespace

void fetch_all(const std::vector<Target>& targets, const DownloadOptions& options, int workers,
               OrderedOutput& output, Progress* progress, const Report& report) {
    if (targets.empty()) return;
    const auto count = std::min(targets.size(), static_cast<std::size_t>(workers));
    Crew crew{targets, options, count, output, progress, report};
    std::vector<std::jthread> others;
    while (others.size() + 1 < count) {
        others.push_back(start_helper([&crew] { crew.work(); }));
        if (!others.back().joinable()) break; // go on with those that started
    }
    crew.work();
    others.clear(); // joins their threads
    crew.finish();
}

} // namespace ipcbox::download
