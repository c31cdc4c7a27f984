// Lines that must not hold up the caller: a thread of its own writes them, each of them whole. When
// the reader is too slow (a full log pipe) the queue drops lines. It counts them, and says so when
// there is room again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ipcbox::cli {

class LineQueue {
  public:
    // How the queue says that lines were dropped: in words, or as an object of JSON.
    enum class Kind { text, json };
    // FD stays the caller's. Signals have to be blocked already, SIGPIPE too. UNWRITTEN is what
    // take_unwritten() returned under our former image.
    explicit LineQueue(int fd, Kind kind = Kind::text, std::string unwritten = {});
    // Waits at most a second for the lines that are left.
    ~LineQueue();
    LineQueue(const LineQueue&) = delete;
    LineQueue& operator=(const LineQueue&) = delete;

    // LINE ends with a line feed. Any thread may call it.
    void add(std::string_view line);

    // Waits until all is written, at most a second.
    void flush();

    // Stops writing and returns the lines that were not written: for the program that we become. A
    // line is written whole or returned, unless a write hangs in the kernel for a second; then it
    // counts as lost. write_again() takes it all back.
    [[nodiscard]] std::string take_unwritten();
    void write_again(std::string unwritten);

    // Whether a line was dropped, could not be written, or waits still.
    [[nodiscard]] bool failed();

  private:
    struct State;
    void start();
    static void write_lines(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::cli
