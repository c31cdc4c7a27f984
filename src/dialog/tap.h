// Passes data from a pipe to its reader, and copies it into a file as tee(1) does, or looks for
// line feeds in it. Nothing here waits: the caller polls.
//
// Between two pipes, no data passes through our memory: tee(2) lets both pipes share the same
// pages, and splice(2) moves them into the file. On the way they stand in a pipe of our own: a slow
// write to a file locks the pipe that it reads, and FROM's writer would have to wait.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/pipe.h"
#include "core/side_file.h"

#include <cstdint>
#include <functional>
#include <poll.h>
#include <string>
#include <string_view>

namespace ipcbox::dialog {

class Tap {
  public:
    // Gets all of the data, in pieces.
    using Listener = std::function<void(std::string_view)>;

    // FROM is the reading end of a pipe. COPY is the file that gets a copy; empty: none is made.
    // Throws SysError.
    Tap(Fd from, Fd to, const std::string& copy, Listener listener = {});

    // Call work() when this is ready.
    [[nodiscard]] pollfd poll_entry() const {
        return waits_for_reader_ ? pollfd{to_.get(), POLLOUT, 0} : pollfd{from_.get(), POLLIN, 0};
    }
    // Moves what can be moved. When COPY cannot be written, it gets nothing more, as with tee(1);
    // the reader still gets everything.
    void work();
    // Why COPY is not whole; empty when it is.
    [[nodiscard]] const std::string& failure() const { return copy_.failure(); }
    // Whether the data has ended, or the reader has gone. In the latter case, the next write of the
    // writer fails, as it would without us.
    [[nodiscard]] bool is_over() const { return !from_; }
    // Whether the reader went before it had taken everything. A writer that has already ended does
    // not notice that.
    [[nodiscard]] bool loses_data() const { return loses_data_; }

    // The number of bytes so far, and when the last line feed came. Before the first one, the
    // latter is when we began.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] Deadline::Clock::time_point last_line() const { return last_line_; }

  private:
    void share();
    void read_more();
    void pass_on();
    void move_to_copy(std::uint64_t count);
    void write_batch(std::uint64_t count);
    void copy_through_memory(const Fd& from, std::uint64_t count);
    void lose_reader();
    void end();

    Fd from_;
    Fd to_;
    SideFile copy_;
    Listener listener_;
    bool shares_ = false;           // by tee(2)
    bool splices_ = true;           // what is shared, into the copy; else it goes through memory
    Pipe batch_;                    // what goes into the copy next
    std::size_t largest_write_ = 0; // that does not wait once TO is writable
    bool waits_for_reader_ = false;
    bool loses_data_ = false;
    std::string pending_; // read, and not written yet
    std::size_t written_ = 0;
    std::uint64_t bytes_ = 0;
    Deadline::Clock::time_point last_line_ = Deadline::Clock::now();
};

} // namespace ipcbox::dialog
