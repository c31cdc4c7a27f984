// The questions for a command, one at a time: those of a list, where "-" stands for the lines of
// standard input.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::dialog {

class Questions {
  public:
    // GIVEN has to live as long.
    explicit Questions(const std::vector<std::string>& given) : given_(given) {}

    // The next one, without its line feed. Throws SysError, and Error for a line of standard input
    // that is longer than 1 MiB.
    [[nodiscard]] std::optional<std::string> next();

  private:
    [[nodiscard]] std::optional<std::string> next_of_input();

    const std::vector<std::string>& given_;
    std::size_t at_ = 0;
    std::string pending_;      // of standard input, and not asked yet
    std::size_t searched_ = 0; // of PENDING, without a line feed
};

} // namespace ipcbox::dialog
