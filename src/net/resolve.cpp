#include "net/resolve.h"

#include "core/error.h"
#include "core/syscall.h"
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
#include <system_error>
#include <thread>

namespace ipcbox {

namespace {

// What WORK returns, or nothing when the deadline comes first; then WORK goes on in its thread, and
// its result is dropped.
template <class Result>
std::optional<Result> in_time(std::function<Result()> work, Deadline deadline) {
    struct Shared {
        std::mutex access;
        std::condition_variable done;
        std::optional<Result> result;
    };
    if (deadline.passed()) return std::nullopt;
    const auto shared = std::make_shared<Shared>();
    try {
        std::thread{[shared, work = std::move(work)] {
            auto result = work();
            const std::lock_guard lock{shared->access};
            shared->result = std::move(result);
            shared->done.notify_one();
        }}.detach();
    } catch (const std::system_error& error) {
        throw SysError("start", "a thread", error.code().value());
    }
    std::unique_lock lock{shared->access};
    const auto ready = [&shared] { return shared->result.has_value(); };
    if (const auto remaining = deadline.remaining())
        shared->done.wait_for(lock, *remaining, ready);
    else
        shared->done.wait(lock, ready);
    return std::move(shared->result);
}

// To be called before the first lookup. A program without a loader is a static one.
void use_built_in_sources() {
    [[maybe_unused]] static const int once =
        ::getauxval(AT_BASE) == 0 ? ::__nss_configure_lookup("hosts", "files dns") : 0;
}

// What getaddrinfo(3) answered.
struct Lookup {
    int failure = 0; // EAI_…
    int error = 0;   // errno, for EAI_SYSTEM
    std::vector<Address> addresses;
};

Lookup look_up(const std::string& host, std::uint16_t port, int family) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    Lookup lookup;
    lookup.failure = sys::call("getaddrinfo", ::getaddrinfo, host.c_str(),
                               static_cast<const char*>(nullptr), &hints, &found);
    lookup.error = errno;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{found, ::freeaddrinfo};
    for (const auto* entry = found; entry != nullptr && lookup.failure == 0;
         entry = entry->ai_next) {
        sockaddr_storage storage{};
        std::copy_n(reinterpret_cast<const std::byte*>(entry->ai_addr), entry->ai_addrlen,
                    reinterpret_cast<std::byte*>(&storage));
        Address address{storage, entry->ai_addrlen};
        address.set_port(port);
        if (std::ranges::find(lookup.addresses, address) == lookup.addresses.end())
            lookup.addresses.push_back(address);
    }
    return lookup;
}

std::string_view reason(const Lookup& lookup) {
    switch (lookup.failure) {
    case 0: // all that it has is of another family
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return "it has no such address";
    case EAI_NONAME:
        return "unknown host";
    case EAI_AGAIN:
        return "the name servers do not answer";
    case EAI_FAIL:
        return "the name servers refuse to answer";
    case EAI_MEMORY:
        return "out of memory";
    case EAI_SYSTEM:
        return error_text(lookup.error);
    default:
        return ::gai_strerror(lookup.failure);
    }
}

int number_of(Family family) {
    return family == Family::ipv4 ? AF_INET : family == Family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

std::vector<Address> known_addresses(std::string_view host, std::uint16_t port) {
    if (const auto address = Address::parse_ip(host, port)) return {*address};
    const auto is_same = [](char left, char right) { return (left | 0x20) == right; };
    if (std::ranges::equal(host, std::string_view{"localhost"}, is_same))
        return {*Address::parse_ip("::1", port), *Address::parse_ip("127.0.0.1", port)};
    return {};
}

} // namespace

std::vector<Address> resolve(const std::string& host, std::uint16_t port, Family family,
                             Deadline deadline) {
    const int wanted = number_of(family);
    Lookup lookup{0, 0, known_addresses(host, port)};
    if (lookup.addresses.empty()) {
        use_built_in_sources();
        auto answer = in_time<Lookup>([=] { return look_up(host, port, wanted); }, deadline);
        if (!answer) throw TimedOut(fmt::format("resolve {}", host));
        lookup = *std::move(answer);
    }
    std::erase_if(lookup.addresses, [wanted](const Address& address) {
        return wanted != AF_UNSPEC && address.family() != wanted;
    });
    if (lookup.addresses.empty())
        throw Unreachable(fmt::format("cannot resolve {}: {}", host, reason(lookup)));
    return lookup.addresses;
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

} // namespace ipcbox
