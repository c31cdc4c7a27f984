// Bytes from a connection to a descriptor, as fast as the two allow: what the kernel can move or
// drop itself does not come by our memory. To /dev/null a TCP socket drops them (tcp(7),
// MSG_TRUNC), to and from a pipe they are spliced (splice(2)); for a file, a megabyte is read and
// written at a time, which is faster there.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ipcbox::http {

class BulkMove {
  public:
    // FROM is a non-blocking socket or pipe, and TO whatever we were told to write to, which errors
    // call NAME. Both stay the caller's.
    BulkMove(int from, int to, std::string_view name);

    struct Step {
        enum class Outcome { moved, would_wait, ended, failed } outcome;
        std::size_t size = 0; // moved
        int error = 0;        // why reading failed
    };
    // Moves at most MOST bytes, of what is there now; waits for TO only. Throws SysError "cannot
    // write NAME", TimedOut.
    [[nodiscard]] Step step(std::uint64_t most, Deadline deadline);

  private:
    enum class Way { drop, splice, memory };
    [[nodiscard]] Way choose() const;
    [[nodiscard]] Step splice_some(std::size_t most, Deadline deadline);
    [[nodiscard]] Step copy_some(std::size_t most, Deadline deadline);

    int from_;
    int to_;
    std::string_view name_;
    bool from_socket_;
    Way way_;
    std::vector<std::byte> buffer_;
};

} // namespace ipcbox::http
