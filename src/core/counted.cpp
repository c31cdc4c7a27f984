#include "core/counted.h"

#include <fmt/format.h>

namespace ipcbox {

std::string counted(std::uint64_t count, std::string_view one, std::string_view more) {
    const fmt::format_int digits{count};
    auto text = std::string{digits.data(), digits.size()}.append(1, ' ');
    if (count != 1 && !more.empty()) return text.append(more);
    return text.append(one).append(count == 1 ? "" : "s");
}

} // namespace ipcbox
