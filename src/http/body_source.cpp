#include "http/body_source.h"

#include <algorithm>
#include <cstring>

namespace ipcbox::http {

std::optional<std::size_t> TextSource::read(std::span<std::byte> into) {
    const auto size = std::min(into.size(), text_.size() - at_);
    if (size > 0) std::memcpy(into.data(), text_.data() + at_, size);
    at_ += size;
    return size;
}

} // namespace ipcbox::http
