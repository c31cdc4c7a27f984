// Moves bytes from a connection to a descriptor, as fast as the two allow: the kernel moves or
// drops them itself where it can. For /dev/null a TCP socket drops them (tcp(7), MSG_TRUNC); from a
// pipe or to one they are spliced (splice(2)); from a socket to a file they are spliced through a
// pipe of a megabyte, which saves one of two copies.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/pipe.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ipcbox::http {

class BulkMove {
  public:
    // FROM is a non-blocking socket or pipe. TO is any descriptor; errors call it NAME. The caller
    // keeps and closes both.
    BulkMove(int from, int to, std::string_view name);

    struct Step {
        enum class Outcome { moved, would_wait, ended, failed } outcome;
        std::size_t size = 0; // moved
        int error = 0;        // why reading failed
    };
    // Moves at most MAX_BYTES of the bytes that are there now. It waits for TO, but never for FROM.
    // Throws SysError "cannot write NAME", TimedOut.
    [[nodiscard]] Step step(std::uint64_t max_bytes, Deadline deadline);

  private:
    enum class Way { drop, splice, through_pipe, memory };
    [[nodiscard]] Way choose() const;
    [[nodiscard]] Step splice_some(std::size_t max_bytes, Deadline deadline);
    [[nodiscard]] Step splice_through_pipe(std::size_t max_bytes, Deadline deadline);
    [[nodiscard]] bool stops_at_urgent_data(const Step& step);
    void empty_pipe(std::size_t size, Deadline deadline);
    [[nodiscard]] Step copy_some(std::size_t max_bytes, Deadline deadline);

    int from_;
    int to_;
    std::string_view name_;
    bool from_socket_;
    Way way_;
    Pipe pipe_; // for Way::through_pipe
    std::vector<std::byte> buffer_;
};

} // namespace ipcbox::http
