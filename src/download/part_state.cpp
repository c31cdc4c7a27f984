#include "download/part_state.h"

#include "core/number.h"

#include <fmt/core.h>

namespace ipcbox::download {

namespace {

// Removes the line "KEY VALUE" from the front of TEXT, and returns VALUE; empty when there is no
// such line.
std::string take_value(std::string_view& text, std::string_view key) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.size() == text.size() || !line.starts_with(key)) return {};
    text.remove_prefix(line.size() + 1);
    return std::string{line.substr(key.size())};
}

constexpr std::string_view tag_key = "etag ";
constexpr std::string_view date_key = "last-modified ";
constexpr std::string_view size_key = "size ";

} // namespace

std::string part_state(const std::string& url, const DocumentVersion& version) {
    const auto size = version.size ? fmt::format("{}", *version.size) : std::string{"unknown"};
    return fmt::format("{}\n{}{}\n{}{}\n{}{}\n", url, tag_key, version.tag, date_key, version.date,
                       size_key, size);
}

std::optional<DocumentVersion> parse_part_state(std::string_view text, const std::string& url) {
    std::string_view left = text;
    (void)take_value(left, url);
    DocumentVersion version{take_value(left, tag_key), take_value(left, date_key), {}};
    version.size = whole_number<std::uint64_t>(take_value(left, size_key));
    if (version.validator().empty() || text != part_state(url, version)) return std::nullopt;
    return version;
}

} // namespace ipcbox::download
