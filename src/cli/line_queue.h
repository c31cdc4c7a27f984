// Writes lines without holding up the caller: a thread of its own writes each line whole. If the
// reader is too slow (a full log pipe), the queue drops lines, counts them, and says so when there
// is room again.
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
    // FD belongs to the caller. Signals have to be blocked already, including SIGPIPE. UNWRITTEN is
    // what take_unwritten() returned in our former image. Throws SysError when there is no thread.
    explicit LineQueue(int fd, Kind kind = Kind::text, std::string unwritten = {});
    // Waits at most a second until the remaining lines are written.
    ~LineQueue();
    LineQueue(const LineQueue&) = delete;
    LineQueue& operator=(const LineQueue&) = delete;

    // LINE ends with a line feed. Any thread may call it.
    void add(std::string_view line);

    // Waits until all is written, at most a second.
    void flush();

    // Stops writing and returns the lines that were not written, for the program that we become.
    // Each line is either written whole or returned, unless a write hangs in the kernel for a
    // second; then the line counts as lost. write_again() takes the lines back.
    [[nodiscard]] std::string take_unwritten();
    // When the system has no thread for us, add() tries again.
    void write_again(std::string unwritten);

    // Whether a line was dropped, could not be written, or still waits.
    [[nodiscard]] bool failed();

  private:
    struct State;
    void start();
    void start_if_possible();
    static void write_lines(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::cli
