// The answers of a SOCKS5 proxy.
#include "core/error.h"
#include "core/io.h"
#include "net/socks.h"
#include "require.h"

#include <cstdint>
#include <fcntl.h>
#include <sys/socket.h>

using namespace ipcbox;

namespace {

constexpr std::size_t max_size = 4096; // this fits into the socket

// The bytes that are left for the target. Nothing when there is no connection.
std::optional<std::string> rest_after(std::string_view answer,
                                      const std::optional<net::SocksLogin>& login) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    const Fd ours = Fd::adopt(ends[0]);
    const Fd proxy = Fd::adopt(ends[1]);
    write_all(proxy.get(), answer, "the proxy");
    require(::shutdown(proxy.get(), SHUT_WR) == 0);
    try {
        connect_through_socks5(ours, {"example.org", 80}, login, Deadline::never());
    } catch (const Error& error) {
        require(std::string_view{error.what()}.starts_with("cannot connect to example.org:80 "));
        return std::nullopt;
    }
    return read_to_end(ours.get(), max_size, "the target");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view answer{reinterpret_cast<const char*>(data), std::min(size, max_size)};
    for (const auto& login : {std::optional<net::SocksLogin>{}, {{"user", "password"}}})
        if (const auto rest = rest_after(answer, login)) {
            require(answer.ends_with(*rest));
            // Fewer bytes are not enough, and more change nothing.
            const auto needed = answer.size() - rest->size();
            require(!rest_after(answer.substr(0, needed - 1), login));
            require(rest_after(answer.substr(0, needed), login) == "");
        }
    return 0;
}
