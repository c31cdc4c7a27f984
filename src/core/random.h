// Numbers that nobody can guess: getrandom(2).
#pragma once

#include <array>
#include <cstdint>

namespace ipcbox {

class RandomNumbers {
  public:
    // Throws SysError.
    [[nodiscard]] std::uint64_t next();

  private:
    // So many bytes come at once, and without being interrupted (getrandom(2)).
    std::array<std::uint64_t, 32> stock_{};
    std::size_t left_ = 0;
};

} // namespace ipcbox
