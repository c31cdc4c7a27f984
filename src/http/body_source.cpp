#include "http/body_source.h"

#include <algorithm>
#include <cstring>

namespace ipcbox::http {

std::optional<std::size_t> TextSource::read(std::span<std::byte> into) {
    const auto size = std::min(into.size(), text_.size() - taken_);
    if (size > 0) std::memcpy(into.data(), text_.data() + taken_, size);
    taken_ += size;
    return size;
}

} // namespace ipcbox::http
