#include "core/date.h"

#include <array>

namespace ipcbox {

std::string date_text(std::time_t time) {
    std::tm broken_down{};
    std::array<char, 64> text{};
    if (::localtime_r(&time, &broken_down) == nullptr) return "an unknown time";
    return {text.data(),
            std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &broken_down)};
}

} // namespace ipcbox
