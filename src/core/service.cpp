#include "core/service.h"

#include "core/number.h"
#include "core/stdio_file.h"
#include "core/words.h"

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
        words = take_until_any_of(words, "#\n");
        bool found = take_word(words) == name;
        auto address = take_word(words);
        for (auto alias = take_word(words); !found && !alias.empty(); alias = take_word(words))
            found = alias == name;
        if (found) return whole_number<std::uint16_t>(take_until(address, '/'));
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
