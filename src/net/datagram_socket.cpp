#include "net/datagram_socket.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/control_message.h"
#include "net/socket_options.h"

#include <array>
#include <cstring>
#include <fmt/core.h>
#include <netinet/in.h>

namespace ipcbox::net {

namespace {

void prepare(const Fd& socket, int family) {
    // An IPv6 socket gets IPv4 datagrams too, and reports their address by IPv4's option.
    set_option(socket, IPPROTO_IP, IP_PKTINFO, 1);
    if (family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    enlarge_receive_buffer(socket);
}

BoundSocket open_on(const Address& address, Ipv4Too ipv4_too) {
    BoundSocket opened;
    opened.socket = make_socket(address.family(), SOCK_DGRAM);
    prepare(opened.socket, address.family());
    bind_to(opened.socket, address, ipv4_too);
    opened.address = local_address(opened.socket.get());
    return opened;
}

int option_of(int socket, int option) {
    int value = -1;
    return get_socket_option(socket, SOL_SOCKET, option, value) < 0 ? -1 : value;
}

bool is_connected(int socket) {
    try {
        (void)peer_address(socket);
        return true;
    } catch (const SysError&) {
        return false;
    }
}

// Room for both kinds of control message (cmsg(3)), correctly aligned.
union Control {
    cmsghdr header;
    std::array<char, CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

// The Address for NAME, a sockaddr_in or a sockaddr_in6.
template <class Name> Address address_of(const Name& name) {
    sockaddr_storage storage{};
    std::memcpy(&storage, &name, sizeof name);
    return Address{storage, sizeof name};
}

void note_asked(Datagram& datagram, const in_pktinfo& info) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr = info.ipi_spec_dst;
    datagram.asked = address_of(name);
    // For a broadcast, ipi_spec_dst differs: it is an address of the interface itself.
    datagram.for_us_alone = info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
}

void note_asked(Datagram& datagram, const in6_pktinfo& info) {
    if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) return; // the IPv4 message says more
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_addr = info.ipi6_addr;
    // Only a link-local address needs the number of its link.
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) name.sin6_scope_id = info.ipi6_ifindex;
    datagram.asked = address_of(name);
    datagram.for_us_alone = !IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
}

void read_control(msghdr& message, Datagram& datagram) {
    if (const auto info = control_message<in_pktinfo>(message, IPPROTO_IP, IP_PKTINFO))
        note_asked(datagram, *info);
    if (const auto info = control_message<in6_pktinfo>(message, IPPROTO_IPV6, IPV6_PKTINFO))
        note_asked(datagram, *info);
}

template <class Info>
void write_control(msghdr& message, Control& control, int level, int type, const Info& info) {
    control.header.cmsg_level = level;
    control.header.cmsg_type = type;
    control.header.cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof info);
}

// Sends MESSAGE from the address SOURCE. Without one, the kernel chooses.
void leave_from(const Address& source, msghdr& message, Control& control) {
    if (source.family() == AF_INET) {
        sockaddr_in name{};
        std::memcpy(&name, source.data(), sizeof name);
        in_pktinfo info{};
        info.ipi_spec_dst = name.sin_addr;
        write_control(message, control, IPPROTO_IP, IP_PKTINFO, info);
    } else if (source.family() == AF_INET6) {
        sockaddr_in6 name{};
        std::memcpy(&name, source.data(), sizeof name);
        const in6_pktinfo info{name.sin6_addr, name.sin6_scope_id};
        write_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

} // namespace

std::vector<BoundSocket> bind_udp(const HostPort& where) {
    try {
        return bind_each(where, open_on);
    } catch (const BindError& error) {
        throw_explained(error, SOCK_DGRAM);
    }
}

bool is_datagram_socket(int number) {
    return option_of(number, SO_TYPE) == SOCK_DGRAM;
}

BoundSocket inherited_datagram_socket(int number) {
    BoundSocket given;
    given.socket = Fd::adopt(number);
    if (option_of(number, SO_PROTOCOL) == IPPROTO_UDP) given.address = local_address(number);
    if (given.address.ip_bytes().empty() || is_connected(number))
        throw Error(fmt::format("cannot use the descriptor {} that we were given: expected a UDP "
                                "socket that is bound and not connected",
                                number));
    set_across_exec(given.socket, AcrossExec::close);
    set_nonblocking(given.socket);
    // Ask the socket, not its address: an IPv6 socket can have an IPv4 address (ipv6(7)).
    const int family = option_of(number, SO_DOMAIN);
    // If the former owner asked for errors, they would keep the socket ready for ever, because we
    // do not read them.
    set_option(given.socket, IPPROTO_IP, IP_RECVERR, 0);
    if (family == AF_INET6) set_option(given.socket, IPPROTO_IPV6, IPV6_RECVERR, 0);
    prepare(given.socket, family);
    return given;
}

struct DatagramBatch::Slots {
    std::array<Datagram, max_size> datagrams;
    std::array<sockaddr_storage, max_size> names{};
    std::array<Control, max_size> controls{};
    std::array<mmsghdr, max_size> messages{};
};

DatagramBatch::DatagramBatch() : slots_(std::make_unique<Slots>()) {}
DatagramBatch::~DatagramBatch() = default;

std::span<const Datagram> DatagramBatch::receive(const BoundSocket& from) {
    // We give no room for the bytes, so the kernel throws them away.
    for (std::size_t at = 0; at < max_size; ++at)
        slots_->messages[at].msg_hdr = {.msg_name = &slots_->names[at],
                                        .msg_namelen = sizeof(sockaddr_storage),
                                        .msg_iov = nullptr,
                                        .msg_iovlen = 0,
                                        .msg_control = slots_->controls[at].bytes.data(),
                                        .msg_controllen = slots_->controls[at].bytes.size(),
                                        .msg_flags = 0};
    const auto receive_many = [](int socket, mmsghdr* messages, std::size_t count) {
        return ::recvmmsg(socket, messages, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
    };
    const int received = sys::call("recvmmsg", receive_many, from.socket.get(),
                                   slots_->messages.data(), std::size_t{max_size});
    if (received < 0) {
        if (errno == EAGAIN || errno == EINTR) return {};
        throw SysError("receive", fmt::format("datagrams on {}", from.address.text()));
    }
    const auto count = static_cast<std::size_t>(received);
    for (std::size_t at = 0; at < count; ++at) {
        auto& message = slots_->messages[at].msg_hdr;
        slots_->datagrams[at] = {Address{slots_->names[at], message.msg_namelen}, from.address};
        read_control(message, slots_->datagrams[at]);
        slots_->datagrams[at].asked.set_port(from.address.port());
    }
    return std::span{slots_->datagrams}.first(count);
}

std::size_t DatagramBatch::answer(const BoundSocket& from, std::span<const Datagram> datagrams,
                                  std::string_view text) {
    iovec bytes{const_cast<char*>(text.data()), text.size()}; // NOLINT: sendmsg(2) only reads them
    for (std::size_t at = 0; at < datagrams.size(); ++at) {
        auto& message = slots_->messages[at].msg_hdr;
        message = {};
        message.msg_name = const_cast<sockaddr*>(datagrams[at].sender.data()); // NOLINT: likewise
        message.msg_namelen = datagrams[at].sender.size();
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        if (!datagrams[at].asked.is_wildcard())
            leave_from(datagrams[at].asked, message, slots_->controls[at]);
    }
    const auto send_many = [](int socket, mmsghdr* messages, std::size_t count) {
        return ::sendmmsg(socket, messages, static_cast<unsigned>(count),
                          MSG_DONTWAIT | MSG_NOSIGNAL);
    };
    std::size_t taken = 0;
    for (std::size_t at = 0; at < datagrams.size();) {
        const int sent = sys::call("sendmmsg", send_many, from.socket.get(),
                                   slots_->messages.data() + at, datagrams.size() - at);
        // On an error, the first datagram was not sent. Go on with the others.
        at += sent > 0 ? static_cast<std::size_t>(sent) : 1;
        taken += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    return taken;
}

} // namespace ipcbox::net
