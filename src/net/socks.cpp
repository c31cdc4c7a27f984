#include "net/socks.h"

#include "core/io.h"
#include "net/socket_io.h"
#include "net/unreachable.h"

#include <array>
#include <fmt/core.h>
#include <string_view>

namespace ipcbox::net {

namespace {

using namespace std::string_view_literals;

constexpr auto proxy_name = "the SOCKS proxy"sv;
constexpr char version = 5;
constexpr std::size_t max_field = 255; // a length is one byte

// RFC 1928, section 3.
enum Method : unsigned char { no_login = 0, password_login = 2, none_acceptable = 0xff };

// A field on the wire: one byte with its length, and then its bytes.
std::string field(std::string_view text, std::string_view what) {
    if (text.empty() || text.size() > max_field)
        throw SocksError(fmt::format("cannot use {}: {} has {} bytes, and SOCKS5 takes 1 to {}",
                                     proxy_name, what, text.size(), max_field));
    return static_cast<char>(text.size()) + std::string{text};
}

class Talk {
  public:
    Talk(const Fd& socket, const HostPort& target, Deadline deadline)
        : socket_(socket), target_(target), deadline_(deadline) {}

    void log_in(const std::optional<SocksLogin>& login) {
        // Report a login that is too long before anything is sent.
        const auto words = login ? "\1" + field(login->user, "the user name") +
                                       field(login->password, "the password")
                                 : std::string{};
        send(login ? "\5\2\0\2"sv : "\5\1\0"sv);
        switch (static_cast<unsigned char>(answer<2>()[1])) {
        case no_login:
            return;
        case password_login:
            if (!login) break;
            send(words);
            if (receive<2>()[1] != 0) refuse("it refuses the user name or the password");
            return;
        case none_acceptable:
            refuse(login ? "it accepts none of our ways to log in" : "it wants a login");
        default:
            break;
        }
        refuse("it wants a way to log in that we did not offer");
    }

    void ask() {
        send("\5\1\0"sv, wire_address(), port_bytes(target_.port));
        const auto reply = answer<4>();
        if (reply[1] != 0) fail(static_cast<unsigned char>(reply[1]));
        // Skip the address from which the proxy connects.
        switch (reply[3]) {
        case 1:
            (void)receive<4 + 2>();
            return;
        case 3:
            for (auto left = static_cast<unsigned char>(receive<1>()[0]) + 2; left > 0; --left)
                (void)receive<1>();
            return;
        case 4:
            (void)receive<16 + 2>();
            return;
        default:
            refuse("its answer has an unknown kind of address");
        }
    }

  private:
    template <class... Parts> void send(const Parts&... parts) {
        std::string bytes;
        (bytes.append(parts), ...);
        try {
            send_all(socket_, bytes, proxy_name, deadline_);
        } catch (const SysError& error) {
            lose(error.what());
        } catch (const TimedOut&) {
            time_out();
        }
    }

    template <std::size_t Size> std::array<char, Size> receive() {
        std::array<char, Size> bytes{};
        std::size_t got = 0;
        try {
            got = read_exact(socket_.get(), std::as_writable_bytes(std::span{bytes}), proxy_name,
                             deadline_);
        } catch (const SysError& error) {
            lose(error.what());
        } catch (const TimedOut&) {
            time_out();
        }
        if (got < Size) lose("the proxy closed the connection");
        return bytes;
    }
    // Reads SIZE bytes of an answer, the first of which is the version.
    template <std::size_t Size> std::array<char, Size> answer() {
        const auto bytes = receive<Size>();
        if (bytes[0] != version) refuse("what it says is not SOCKS5");
        return bytes;
    }

    [[nodiscard]] std::string wire_address() const {
        const auto address = Address::parse_ip(target_.host, 0);
        if (!address) return "\3" + field(target_.host, "the target's name");
        const auto bytes = address->ip_bytes();
        return (address->family() == AF_INET ? "\1" : "\4") + std::string{bytes};
    }
    static std::string port_bytes(std::uint16_t port) {
        return {static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
    }

    [[nodiscard]] std::string route() const {
        return fmt::format("{} through {}", target_.text(), proxy_name);
    }
    [[noreturn]] void refuse(std::string_view why) const {
        throw SocksError(fmt::format("cannot connect to {}: {}", route(), why));
    }
    [[noreturn]] void lose(std::string_view why) const {
        throw Unreachable(fmt::format("cannot connect to {}: {}", route(), why));
    }
    [[noreturn]] void time_out() const { throw TimedOut("connecting to " + route()); }

    // RFC 1928, section 6.
    [[noreturn]] void fail(unsigned reply) const {
        constexpr std::array reasons{
            "the proxy failed"sv,       "its rules forbid it"sv,
            "Network is unreachable"sv, "Host is unreachable"sv,
            "Connection refused"sv,     "the connection took too long"sv,
            "it cannot connect"sv,      "it cannot reach such addresses"sv};
        if (reply > reasons.size()) refuse(fmt::format("it answers with the number {}", reply));
        const auto reason = reasons.at(reply - 1);
        constexpr std::array for_good{2U, 7U, 8U};
        for (const auto number : for_good)
            if (reply == number) refuse(reason);
        lose(reason);
    }

    const Fd& socket_;
    const HostPort& target_;
    Deadline deadline_;
};

} // namespace

void connect_through_socks5(const Fd& socket, const HostPort& target,
                            const std::optional<SocksLogin>& login, Deadline deadline) {
    Talk talk{socket, target, deadline};
    talk.log_in(login);
    talk.ask();
}

} // namespace ipcbox::net
