// Copies all bytes from one descriptor to another, inside the kernel where that is possible:
// splice(2) from or to a pipe, copy_file_range(2) between files, sendfile(2) from a file to
// anything else; otherwise through memory.
#pragma once

#include "core/error.h"

#include <cstdint>
#include <limits>
#include <string_view>

namespace ipcbox {

struct StreamNames {
    std::string_view from;
    std::string_view to;
};

// "cannot read FROM": a type of its own, for a caller that can go on with something else.
class ReadFailed : public SysError {
  public:
    explicit ReadFailed(const SysError& error) : SysError(error) {}
};

inline constexpr std::uint64_t no_copy_limit = std::numeric_limits<std::uint64_t>::max();

// Copies from the position of FROM to its end, but at most LIMIT bytes. Returns the number of
// bytes. Waits for as long as either side takes. Throws ReadFailed, SysError "cannot write TO".
std::uint64_t copy_stream(int from, int to, std::uint64_t limit, const StreamNames& names);

} // namespace ipcbox
