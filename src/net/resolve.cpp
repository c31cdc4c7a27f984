#include "net/resolve.h"

#include "core/ascii.h"
#include "core/error.h"
#include "core/syscall.h"
#include "core/thread.h"
#include "net/unreachable.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <fmt/core.h>
#include <functional>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <nss.h>
#include <sys/auxv.h>

namespace ipcbox::net {

namespace {

// Returns WORK's result, or nothing when the deadline comes first. In that case WORK goes on in its
// thread, and its result is dropped.
template <class Result>
std::optional<Result> in_time(std::function<Result()> work, Deadline deadline) {
    struct Shared {
        std::mutex access;
        std::condition_variable done;
        std::optional<Result> result;
    };
    if (deadline.passed()) return std::nullopt;
    const auto shared = std::make_shared<Shared>();
    start_thread([shared, work = std::move(work)] {
        auto result = work();
        const std::lock_guard lock{shared->access};
        shared->result = std::move(result);
        shared->done.notify_one();
    }).detach();
    std::unique_lock lock{shared->access};
    const auto ready = [&shared] { return shared->result.has_value(); };
    if (const auto remaining = deadline.remaining())
        shared->done.wait_for(lock, *remaining, ready);
    else
        shared->done.wait(lock, ready);
    return std::move(shared->result);
}

// Call it before the first lookup. Only a static binary, which has no loader, needs it.
void use_built_in_sources() {
    [[maybe_unused]] static const int once =
        ::getauxval(AT_BASE) == 0 ? ::__nss_configure_lookup("hosts", "files dns") : 0;
}

std::string_view reason(int failure, int error, int wanted) {
    switch (failure) {
    case 0: // the host has addresses, but none of the wanted family
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return wanted == AF_INET    ? "it has no IPv4 address"
               : wanted == AF_INET6 ? "it has no IPv6 address"
                                    : "it has no address";
    case EAI_NONAME:
        return "no such host";
    case EAI_AGAIN:
        return "the name servers do not answer";
    case EAI_FAIL:
        return "the name servers refuse to answer";
    case EAI_MEMORY:
        return "out of memory";
    case EAI_SYSTEM:
        return error_text(error);
    default:
        return ::gai_strerror(failure);
    }
}

int number_of(Family family) {
    return family == Family::ipv4 ? AF_INET : family == Family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

void keep_family(std::vector<Address>& addresses, int wanted) {
    std::erase_if(addresses, [wanted](const Address& address) {
        return wanted != AF_UNSPEC && address.family() != wanted;
    });
}

// localhost and the names below it, which no server has to be asked for (RFC 6761, section 6.3).
bool is_loopback(std::string_view name) {
    constexpr std::string_view loopback = "localhost";
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() < loopback.size()) return false;
    const auto above = name.size() - loopback.size();
    return ascii::same_but_for_case(name.substr(above), loopback) &&
           (above == 0 || (above > 1 && name[above - 1] == '.'));
}

} // namespace

std::vector<Address> known_addresses(std::string_view host, std::uint16_t port, Family family) {
    std::vector<Address> known;
    if (const auto address = Address::parse_ip(host, port))
        known = {*address};
    else if (is_loopback(host))
        known = {*Address::parse_ip("::1", port), *Address::parse_ip("127.0.0.1", port)};
    keep_family(known, number_of(family));
    return known;
}

Lookup look_up(const std::string& host, std::uint16_t port, Family family) {
    use_built_in_sources();
    addrinfo hints{};
    hints.ai_family = number_of(family);
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failure = sys::call("getaddrinfo", ::getaddrinfo, host.c_str(),
                                  static_cast<const char*>(nullptr), &hints, &found);
    const int error = errno;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{found, ::freeaddrinfo};
    Lookup lookup;
    for (const auto* entry = found; entry != nullptr && failure == 0; entry = entry->ai_next) {
        sockaddr_storage storage{};
        std::copy_n(reinterpret_cast<const std::byte*>(entry->ai_addr), entry->ai_addrlen,
                    reinterpret_cast<std::byte*>(&storage));
        Address address{storage, entry->ai_addrlen};
        address.set_port(port);
        if (std::ranges::find(lookup.addresses, address) == lookup.addresses.end())
            lookup.addresses.push_back(address);
    }
    // /etc/hosts can contain ::ffff:192.0.2.1, which we treat as an IPv4 address.
    keep_family(lookup.addresses, hints.ai_family);
    if (lookup.addresses.empty()) lookup.problem = reason(failure, error, hints.ai_family);
    return lookup;
}

std::vector<Address> resolve(const std::string& host, std::uint16_t port, Family family,
                             Deadline deadline) {
    if (auto known = known_addresses(host, port, family); !known.empty()) return known;
    auto lookup = in_time<Lookup>([=] { return look_up(host, port, family); }, deadline);
    if (!lookup) throw TimedOut(fmt::format("resolving {}", host));
    if (lookup->addresses.empty())
        throw Unreachable(fmt::format("cannot resolve {}: {}", host, lookup->problem));
    return std::move(lookup->addresses);
}

std::optional<std::string> reverse_name(const Address& address, Deadline deadline) {
    use_built_in_sources();
    const auto name = in_time<std::string>(
        [address] {
            std::array<char, NI_MAXHOST> text{};
            const int failure =
                sys::call("getnameinfo", ::getnameinfo, address.data(), address.size(), text.data(),
                          static_cast<socklen_t>(text.size()), static_cast<char*>(nullptr),
                          socklen_t{0}, NI_NAMEREQD);
            return failure == 0 ? std::string{text.data()} : std::string{};
        },
        deadline);
    return name && !name->empty() ? name : std::nullopt;
}

} // namespace ipcbox::net
