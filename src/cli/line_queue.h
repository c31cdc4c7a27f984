// Lines that must not hold up whoever has something to say: a thread of its own writes them, as
// many at once as there are, each of them whole. A reader who is too slow (a full log pipe) loses
// lines, which are counted, and told when there is room again.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace ipcbox::cli {

class LineQueue {
  public:
    // FD stays the caller's. Signals have to be blocked already, SIGPIPE too.
    explicit LineQueue(int fd);
    // Waits a second at most for what is left to be written.
    ~LineQueue();
    LineQueue(const LineQueue&) = delete;
    LineQueue& operator=(const LineQueue&) = delete;

    // LINE has its line feed. From any thread.
    void add(std::string_view line);

    // Waits until all is written, no longer than a second.
    void flush();

    // Whether something was lost because it could not be written at all.
    [[nodiscard]] bool failed();

  private:
    struct State;
    static void write_lines(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::cli
