#include "download/resumption.h"

#include "core/ascii.h"
#include "core/number.h"

#include <algorithm>

namespace ipcbox::download {

namespace {

using Number = std::optional<std::uint64_t>;

Number number_in(std::string_view text) {
    return whole_number<std::uint64_t>(text);
}

std::string field(const http::ResponseHead& head, std::string_view name) {
    const auto* value = head.find(name);
    return value != nullptr ? *value : std::string{};
}

} // namespace

std::string DocumentVersion::validator() const {
    return tag.empty() || tag.starts_with("W/") ? date : tag;
}

bool DocumentVersion::may_be(const DocumentVersion& other) const {
    const auto agree = [](const std::string& one, const std::string& two) {
        return one.empty() || two.empty() || one == two;
    };
    return agree(tag, other.tag) && agree(date, other.date) &&
           (!size || !other.size || *size == *other.size);
}

DocumentVersion version_of(const http::ResponseHead& head) {
    DocumentVersion version{field(head, "ETag"), field(head, "Last-Modified"), {}};
    if (head.status == 200)
        version.size = number_in(field(head, "Content-Length"));
    else
        version.size = content_range(head).size;
    return version;
}

ContentRange content_range(const http::ResponseHead& head) {
    constexpr std::string_view unit = "bytes ";
    const auto* value = head.find("Content-Range");
    if (value == nullptr || !ascii::same_but_for_case(value->substr(0, unit.size()), unit))
        return {};
    const auto text = std::string_view{*value}.substr(unit.size());
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    const auto bytes = text.substr(0, slash);
    const auto dash = std::min(bytes.find('-'), bytes.size());
    ContentRange range{number_in(bytes.substr(0, dash)), {}, number_in(text.substr(slash + 1))};
    if (dash < bytes.size()) range.last = number_in(bytes.substr(dash + 1));
    if (range.first && range.last && *range.last < *range.first) return {};
    return range;
}

bool answers_range(const std::string& range, const ContentRange& found) {
    const auto dash = range.find('-');
    if (range.find(',') != std::string::npos || dash == std::string::npos) return true;
    if (!found.first || !found.last) return true; // the server does not say
    const auto first = number_in(std::string_view{range}.substr(0, dash));
    const auto last = number_in(std::string_view{range}.substr(dash + 1));
    const bool to_the_end = found.size && *found.last + 1 == *found.size;
    if (first)
        return found.first == first &&
               (last ? *found.last == *last || (*found.last < *last && to_the_end) : true);
    if (!last || !found.size) return true;
    return *found.first == *found.size - std::min(*last, *found.size) && to_the_end;
}

} // namespace ipcbox::download
