#include "harness/datagram_peer.h"

#include "core/error.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace ipcbox::test {

namespace {

constexpr std::size_t max_bytes = 65536;

Fd bound_socket(const net::Address& address) {
    Fd socket = Fd::adopt(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(socket.get(), address.data(), address.size()) < 0)
        throw SysError("bind to", address.text());
    return socket;
}

void send_from(int socket, const net::Address& to, std::string_view text) {
    if (::sendto(socket, text.data(), text.size(), 0, to.data(), to.size()) < 0)
        throw SysError("send to", to.text());
}

// The address to which a datagram was sent (ip(7), IP_PKTINFO). IPv6 has only one loopback address.
net::Address destination(msghdr& message, const net::Address& own) {
    for (cmsghdr* entry = CMSG_FIRSTHDR(&message); entry != nullptr;
         entry = CMSG_NXTHDR(&message, entry))
        if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(entry), sizeof info);
            std::string ip(sizeof info.ipi_addr, '\0');
            std::memcpy(ip.data(), &info.ipi_addr, ip.size());
            return *net::Address::of_ip_bytes(ip, own.port());
        }
    return own;
}

} // namespace

void Datagram::answer(std::string_view text) const {
    if (asked.family() != AF_INET) return send_from(socket_, from, text);
    iovec part{const_cast<char*>(text.data()), text.size()}; // NOLINT: sendmsg(2) only reads it
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(from.data()); // NOLINT
    message.msg_namelen = from.size();
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto& entry = *CMSG_FIRSTHDR(&message);
    entry.cmsg_level = IPPROTO_IP;
    entry.cmsg_type = IP_PKTINFO;
    entry.cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    const auto ip = asked.ip_bytes();
    std::memcpy(&info.ipi_spec_dst, ip.data(), sizeof info.ipi_spec_dst);
    std::memcpy(CMSG_DATA(&entry), &info, sizeof info);
    if (::sendmsg(socket_, &message, 0) < 0) throw SysError("send to", from.text());
}

void Datagram::answer_from(const net::Address& elsewhere, std::string_view text) const {
    send_from(bound_socket(elsewhere).get(), from, text);
}

DatagramPeer::DatagramPeer(const net::Address& address, Work work)
    : socket_(bound_socket(address)), address_(net::local_address(socket_.get())) {
    const int on = 1;
    if (address.family() == AF_INET)
        ::setsockopt(socket_.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    thread_ = std::jthread{[this, work = std::move(work)] { serve(work); }};
}

DatagramPeer::DatagramPeer(Work work)
    : DatagramPeer(*net::Address::parse_ip("127.0.0.1", 0), std::move(work)) {}

DatagramPeer::~DatagramPeer() {
    ended_.signal();
}

void DatagramPeer::serve(const Work& work) const {
    std::string bytes(max_bytes, '\0');
    for (std::size_t number = 0;;) {
        std::array<pollfd, 2> entries{pollfd{ended_.fd(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
        (void)::poll(entries.data(), entries.size(), -1);
        if (entries[0].revents != 0) return;
        sockaddr_storage from{};
        iovec part{bytes.data(), bytes.size()};
        alignas(cmsghdr) std::array<char, 64> control{};
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
        if (got < 0) continue;
        Datagram question;
        question.bytes = bytes.substr(0, static_cast<std::size_t>(got));
        question.from = net::Address{from, message.msg_namelen};
        question.asked = destination(message, address_);
        question.number = number++;
        question.socket_ = socket_.get();
        try {
            work(question);
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): the client has gone
        }
    }
}

RefusedDatagramPort::RefusedDatagramPort()
    : socket_(bound_socket(*net::Address::parse_ip("127.0.0.1", 0))) {
    const auto own = net::local_address(socket_.get());
    if (::connect(socket_.get(), own.data(), own.size()) < 0)
        throw SysError("connect to", own.text());
}

} // namespace ipcbox::test
