// One stream to which several workers write, document after document. Bytes of a later document
// wait for its turn, in memory while they are few. So the result does not depend on the number of
// workers.
#pragma once

#include "core/deadline.h"

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace ipcbox::download {

class OrderedOutput {
  public:
    // The caller keeps and closes FD. Errors call it NAME.
    OrderedOutput(int fd, std::string_view name) : fd_(fd), name_(name) {}
    OrderedOutput(const OrderedOutput&) = delete;
    OrderedOutput& operator=(const OrderedOutput&) = delete;

    // The maximum of bytes kept for later documents. A worker with more waits for its turn.
    static constexpr std::size_t max_kept = 4UL * 1024 * 1024;

    // Writes BYTES of document NUMBER; numbers count from 0. A worker must finish its earlier
    // documents before it writes a later one. Throws SysError "cannot write NAME", TimedOut.
    void write(std::size_t number, std::string_view bytes, Deadline deadline);
    // Writes out the buffer if it is NUMBER's turn; false if it is not. After true, its bytes may
    // also be written to fd() directly.
    [[nodiscard]] bool flush(std::size_t number, Deadline deadline);
    // Document NUMBER is complete. Call it for every number.
    void finish(std::size_t number, Deadline deadline);
    // Writes out all that is buffered.
    void flush();
    // Call it when nothing can be written any more: no worker then waits for its turn, and all
    // further bytes are dropped.
    void give_up();

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::string_view name() const { return name_; }

  private:
    void flush_buffer(Deadline deadline);

    int fd_;
    std::string_view name_;
    std::mutex mutex_;
    std::condition_variable turned_;
    std::size_t turn_ = 0;
    std::string buffer_;                      // of the document whose turn it is
    std::map<std::size_t, std::string> kept_; // of later ones
    std::size_t kept_bytes_ = 0;
    std::set<std::size_t> finished_; // later ones
    bool given_up_ = false;
};

} // namespace ipcbox::download
