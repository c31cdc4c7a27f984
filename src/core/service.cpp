#include "core/service.h"

#include "core/number.h"
#include "core/stdio_file.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ipcbox {

namespace {

struct Service {
    std::string_view name;
    std::uint16_t port;
};
constexpr std::array known_services{
    Service{"echo", 7},  Service{"daytime", 13}, Service{"time", 37},
    Service{"http", 80}, Service{"ntp", 123},    Service{"https", 443},
};

// The port that /etc/services gives a name.
std::optional<std::uint16_t> port_in_file(std::string_view name) {
    const auto file = open_for_reading("/etc/services");
    std::array<char, 512> line{};
    while (file && std::fgets(line.data(), line.size(), file.get()) != nullptr) {
        std::string_view words{line.data()};
        words = words.substr(0, words.find_first_of("#\n"));
        constexpr auto blank = " \t";
        const auto next_word = [&words] {
            words.remove_prefix(std::min(words.find_first_not_of(blank), words.size()));
            const auto word = words.substr(0, words.find_first_of(blank));
            words.remove_prefix(word.size());
            return word;
        };
        bool found = next_word() == name;
        const auto address = next_word();
        for (auto alias = next_word(); !found && !alias.empty(); alias = next_word())
            found = alias == name;
        if (found) return whole_number<std::uint16_t>(address.substr(0, address.find('/')));
    }
    return std::nullopt;
}

} // namespace

std::optional<std::uint16_t> service_port(std::string_view text) {
    if (const auto number = whole_number<std::uint16_t>(text)) return number;
    const auto known = std::ranges::find(known_services, text, &Service::name);
    if (known != known_services.end()) return known->port;
    return port_in_file(text);
}

} // namespace ipcbox
