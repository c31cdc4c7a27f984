#include "core/environment.h"

#include <algorithm>
#include <unistd.h>

namespace ipcbox {

namespace {

// The name with its "=", so that a name does not match the beginning of another one; empty when
// there is no name.
std::string_view name_with_equals(std::string_view entry) {
    const auto equals = entry.find('=');
    return equals == std::string_view::npos || equals == 0 ? std::string_view{}
                                                           : entry.substr(0, equals + 1);
}

} // namespace

Environment Environment::ours() {
    Environment environment;
    auto& entries = environment.entries_;
    for (char* const* variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const auto name = name_with_equals(*variable);
        const auto has_name = [name](const std::string& entry) { return entry.starts_with(name); };
        if (!name.empty() && std::ranges::none_of(entries, has_name))
            entries.emplace_back(*variable);
    }
    return environment;
}

void Environment::set(std::string entry) {
    const auto name = name_with_equals(entry);
    if (name.empty()) return;
    const auto found = std::ranges::find_if(
        entries_, [name](const std::string& other) { return other.starts_with(name); });
    if (found != entries_.end())
        *found = std::move(entry);
    else
        entries_.push_back(std::move(entry));
}

void Environment::set_all(std::span<const std::string> entries) {
    for (const auto& entry : entries)
        set(entry);
}

void Environment::remove_if(const std::function<bool(std::string_view name)>& is_dropped) {
    std::erase_if(entries_, [&is_dropped](const std::string& entry) {
        return is_dropped(std::string_view{entry}.substr(0, entry.find('=')));
    });
}

} // namespace ipcbox
