#include "front/server/option_values.h"

#include "cli/values.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <sys/resource.h>

namespace ipcbox::front {

namespace {

// The names of prlimit(1).
struct Resource {
    std::string_view name;
    int number;
};
constexpr std::array resources{
    Resource{"as", RLIMIT_AS},         Resource{"core", RLIMIT_CORE},
    Resource{"cpu", RLIMIT_CPU},       Resource{"data", RLIMIT_DATA},
    Resource{"fsize", RLIMIT_FSIZE},   Resource{"memlock", RLIMIT_MEMLOCK},
    Resource{"nofile", RLIMIT_NOFILE}, Resource{"nproc", RLIMIT_NPROC},
    Resource{"stack", RLIMIT_STACK},
};

unsigned parse_number(std::string_view text, int min, int max) {
    return static_cast<unsigned>(cli::number_between(min, max)(text));
}

} // namespace

server::Rate parse_rate(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        throw std::invalid_argument("expected a number and a duration, such as 10/1s");
    return {cli::number_between(1, max_connections)(text.substr(0, slash)),
            cli::parse_positive_duration(text.substr(slash + 1))};
}

PerNetwork parse_per_network(std::string_view text) {
    const auto first = std::min(text.find('/'), text.size());
    const auto second = std::min(text.find('/', first + 1), text.size());
    PerNetwork limit;
    limit.max = parse_number(text.substr(0, first), 1, max_connections);
    if (first < text.size())
        limit.bits_4 = parse_number(text.substr(first + 1, second - first - 1), 0, 32);
    if (second < text.size()) limit.bits_6 = parse_number(text.substr(second + 1), 0, 128);
    return limit;
}

ResourceLimit parse_resource_limit(std::string_view text) {
    const auto equals = std::min(text.find('='), text.size());
    const auto found = std::ranges::find(resources, text.substr(0, equals), &Resource::name);
    if (found == resources.end() || equals == text.size())
        throw std::invalid_argument("expected NAME=NUMBER, where NAME is as, core, cpu, data, "
                                    "fsize, memlock, nofile, nproc or stack");
    const auto value = text.substr(equals + 1);
    return {found->number, value == "unlimited" ? RLIM_INFINITY : cli::parse_size(value)};
}

net::Address parse_client(std::string_view text) {
    const auto address = net::Address::parse_ip(text, 0);
    if (!address) throw std::invalid_argument("expected an IP address");
    return *address;
}

SocketOwner parse_socket_owner(std::string_view text) {
    if (!text.starts_with(':')) {
        const auto owner = cli::parse_owner(text);
        return {owner.uid, owner.gid};
    }
    const auto group = find_group(text.substr(1));
    if (!group) throw std::invalid_argument("there is no such group");
    return {std::nullopt, group};
}

std::string_view resource_name(int number) {
    const auto found = std::ranges::find(resources, number, &Resource::number);
    return found != resources.end() ? found->name : std::string_view{"?"};
}

} // namespace ipcbox::front
