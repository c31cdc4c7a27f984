#include "download/resumption.h"

#include "core/number.h"

namespace ipcbox::download {

std::string version_of(const http::ResponseHead& head) {
    const auto* tag = head.find("ETag");
    if (tag != nullptr && !tag->empty() && !tag->starts_with("W/")) return *tag;
    const auto* date = head.find("Last-Modified");
    return date != nullptr ? *date : std::string{};
}

ContentRange content_range(const http::ResponseHead& head) {
    constexpr std::string_view unit = "bytes ";
    const auto* value = head.find("Content-Range");
    if (value == nullptr || !value->starts_with(unit)) return {};
    const auto text = std::string_view{*value}.substr(unit.size());
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    return {whole_number<std::uint64_t>(text.substr(0, text.find_first_of("-/"))),
            whole_number<std::uint64_t>(text.substr(slash + 1))};
}

} // namespace ipcbox::download
