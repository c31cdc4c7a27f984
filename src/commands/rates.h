// How often the commands of command-server may run, for all clients together. Each session is a
// process of its own; they share the first bytes of the server's memory file.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::commands {

struct Rate {
    unsigned count = 0; // of runs in any WINDOW, even all at once
    Duration window{};
    std::string written; // "5/1m"
};

// The Generic Cell Rate Algorithm (ITU-T I.371). SERVED_UNTIL is when the command will have had
// exactly its rate, 0 at first; what that is after one more run at NOW, or nothing when that would
// be too early.
[[nodiscard]] std::optional<std::int64_t> after_one_more(std::int64_t served_until,
                                                         const Rate& rate, std::int64_t now);

class Rates {
  public:
    // The bytes at the beginning of the file that belong to this, zero at first.
    static constexpr std::size_t size = 8192;

    explicit Rates(int file) : file_(file) {}
    ~Rates();
    Rates(const Rates&) = delete;
    Rates& operator=(const Rates&) = delete;

    // Whether the command that has INDEX in its file may run now; true counts as a run. Throws
    // SysError.
    [[nodiscard]] bool allows(std::size_t index, const Rate& rate);

  private:
    int file_;
    std::int64_t* moments_ = nullptr; // mapped at the first use
};

} // namespace ipcbox::commands
