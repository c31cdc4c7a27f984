// One stream to which several workers write, document after document: what belongs to a later one
// waits, in memory as long as it is little, for its turn. So the result is the same however many
// work at it.
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
    // FD stays the caller's; NAME is what its errors call it.
    OrderedOutput(int fd, std::string_view name) : fd_(fd), name_(name) {}
    OrderedOutput(const OrderedOutput&) = delete;
    OrderedOutput& operator=(const OrderedOutput&) = delete;

    // So much of later documents is kept; who has more waits for his turn.
    static constexpr std::size_t max_kept = 4UL * 1024 * 1024;

    // Of document NUMBER; they count from 0, and each is worked at by somebody who has not left an
    // earlier one undone. Throws SysError "cannot write NAME", TimedOut.
    void write(std::size_t number, std::string_view bytes, Deadline deadline);
    // Writes out what is only buffered, if it is NUMBER's turn; false if it is not. After true, its
    // bytes may also be written to fd() directly.
    [[nodiscard]] bool flush(std::size_t number, Deadline deadline);
    // Nothing more of it will come. Every number has to be finished.
    void finish(std::size_t number, Deadline deadline);
    // Writes out all that is buffered.
    void flush();
    // Nothing can be written any more: nobody waits for his turn, and what comes is dropped.
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
