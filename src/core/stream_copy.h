// All that one descriptor has to another one: by the kernel alone where it can
// (copy_file_range(2) between files, splice(2) from or to a pipe), else through memory.
#pragma once

#include <cstdint>
#include <string_view>

namespace ipcbox {

struct StreamNames {
    std::string_view from;
    std::string_view to;
};

// Copies from where FROM stands to its end, and at most LIMIT bytes; how many it were. Waits for as
// long as both take. Throws SysError "cannot read FROM", "cannot write TO".
std::uint64_t copy_stream(int from, int to, std::uint64_t limit, const StreamNames& names);

} // namespace ipcbox
