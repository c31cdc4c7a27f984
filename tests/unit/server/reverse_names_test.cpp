#include "server/reverse_names.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <mutex>

using namespace ipcbox;

namespace {

net::Address at(std::string_view ip) {
    return net::Address::parse_ip(ip, 4242).value();
}

// The names that were reported.
struct Told {
    std::mutex mutex;
    std::vector<std::string> lines;

    server::ReverseNames::Found found() {
        return [this](const std::string& ip, const std::string& name) {
            const std::lock_guard lock{mutex};
            lines.push_back(ip + " is " + name);
        };
    }
    std::vector<std::string> so_far() {
        const std::lock_guard lock{mutex};
        return lines;
    }
};

} // namespace

TEST_CASE("a name is told only when its own addresses include the client's") {
    Told told;
    const server::ReverseNames::Questions questions{
        [](const net::Address& address) -> std::optional<std::string> {
            if (address.host() == "192.0.2.1") return "trusted.example.com"; // not its own
            if (address.host() == "192.0.2.2") return "nowhere.example.com";
            if (address.host() == "192.0.2.3") return std::nullopt;
            return "honest.example.com";
        },
        [](const std::string& name) -> std::vector<net::Address> {
            if (name == "nowhere.example.com") throw Error("no such host");
            if (name == "trusted.example.com") return {at("198.51.100.1")};
            return {at("2001:db8::1"), *net::Address::parse_ip("192.0.2.4", 0)};
        }};
    server::ReverseNames names{told.found(), questions};
    // The addresses are asked for one by one. So when the last name is known, the others are too.
    for (const auto* ip : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"})
        CHECK(names.name_of(at(ip)).empty());
    CHECK(test::eventually([&] { return !told.so_far().empty(); }));
    CHECK(told.so_far() == std::vector<std::string>{"192.0.2.4 is honest.example.com"});
    CHECK(names.name_of(at("192.0.2.4")) == "honest.example.com");
    for (const auto* ip : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        CHECK(names.name_of(at(ip)).empty());
}
