// Progress on a terminal: a bar for each document under way, and one line for all of them. It is
// redrawn in place at most ten times a second.
#pragma once

#include "download/receiver.h"

#include <map>
#include <mutex>

namespace ipcbox::front {

class FetchProgress : public download::Progress {
  public:
    // For the given number of DOCUMENTS, on descriptor FD.
    FetchProgress(int fd, std::size_t documents) : fd_(fd), documents_(documents) {}
    ~FetchProgress() override { erase(); }
    FetchProgress(const FetchProgress&) = delete;
    FetchProgress& operator=(const FetchProgress&) = delete;

    void begin(std::size_t number, const std::string& name, std::optional<std::uint64_t> size,
               std::uint64_t already) override;
    void moved(std::size_t number, std::uint64_t bytes) override;
    void end(std::size_t number) override;

    // Removes the bars, so that another line can be printed.
    void erase();

  private:
    using Time = Deadline::Clock::time_point;
    struct Document {
        std::string name;
        std::optional<std::uint64_t> size;
        std::uint64_t already = 0;
        std::uint64_t bytes = 0;
        Time began{};
    };

    void draw();
    void erase_lines();
    void show(std::string_view text) const;

    int fd_;
    std::size_t documents_;
    std::mutex mutex_;
    std::map<std::size_t, Document> coming_;
    std::size_t ended_ = 0;
    std::uint64_t all_bytes_ = 0;
    Time began_ = Deadline::Clock::now();
    Time drawn_{};
    int lines_ = 0; // on the screen
};

// "name  [#####     ]  52 %  1.3 GB  112 MB/s  0:12", in at most COLUMNS; without a size there is
// no bar. A function of its own for the tests.
struct ProgressLine {
    std::string name;
    std::optional<std::uint64_t> size;
    std::uint64_t bytes = 0; // that are there
    double bytes_per_second = 0;
    std::size_t columns = 80;
};
[[nodiscard]] std::string progress_text(const ProgressLine& line);

// "1.3 GB", in powers of 1000.
[[nodiscard]] std::string human_bytes(double bytes);

} // namespace ipcbox::front
