// A log file of limited size: when it is full, FILE becomes FILE.1, that becomes FILE.2, and so on.
#pragma once

#include "core/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::process {

struct Rotation {
    std::uint64_t max_size = 0; // of the file, in bytes
    int max_old = 0;            // files beside it
};

class RotatingLog {
  public:
    enum class Start { append, truncate };
    // Throws SysError when PATH cannot be opened. Without a rotation, the file grows without limit.
    RotatingLog(std::string path, std::optional<Rotation> rotation, Start start);

    // Lines stay whole: a file rather becomes larger than its size than end within a line. Bytes
    // that cannot be written are lost; once the log can be written again, it says how many.
    void write(std::string_view text) noexcept;
    // Opens PATH again, after another program has renamed the file. If that fails, the old file
    // stays open.
    void reopen() noexcept;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    void append(std::string_view text);
    void rotate();
    void open(int flags);

    std::string path_;
    std::optional<Rotation> rotation_;
    Fd file_;
    std::uint64_t size_ = 0;
    std::uint64_t lost_ = 0;
    bool is_within_line_ = false;
};

} // namespace ipcbox::process
