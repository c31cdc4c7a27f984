// Numbers that cannot be guessed: getrandom(2).
#pragma once

#include <array>
#include <cstdint>

namespace ipcbox {

class RandomNumbers {
  public:
    // Throws SysError.
    [[nodiscard]] std::uint64_t next();

  private:
    // getrandom(2) gives up to 256 bytes at once without being interrupted.
    std::array<std::uint64_t, 32> stock_{};
    std::size_t left_ = 0;
};

} // namespace ipcbox
