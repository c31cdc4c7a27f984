// The yardstick of the clocks' benchmark. It asks COUNT hosts for the time and does nothing else:
// no names, no table, no offsets. The hosts are 127.0.0.1 and the addresses after it.
//
// Usage: clock_load tcp COUNT PORT [WINDOW]   at most WINDOW connections at a time (default 4096)
//        clock_load udp COUNT PORT            one socket, datagrams in batches
//        clock_load hosts COUNT               prints the hosts, as input for other programs
// Prints "MILLISECONDS ANSWERS".
#include "core/fd.h"
#include "net/address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;

namespace {

using Clock = std::chrono::steady_clock;
constexpr int patience_ms = 2000; // after this silence, the rest is lost
constexpr std::size_t answer_size = 4;

sockaddr_in host(std::size_t number, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
    return address;
}

// Connects to each host, reads four bytes and the end, and closes. At most WINDOW connections are
// open, and the next one begins as soon as one ends.
class Connections {
  public:
    Connections(std::size_t count, std::uint16_t port, std::size_t window)
        : left_(count), port_(port), clients_(std::min(window, count)) {}

    [[nodiscard]] std::size_t run() {
        for (std::size_t slot = 0; slot < clients_.size(); ++slot)
            begin(slot);
        std::array<epoll_event, 512> events{};
        while (running_ > 0) {
            const int ready = ::epoll_wait(poll_.get(), events.data(), events.size(), patience_ms);
            if (ready <= 0) break;
            for (int event = 0; event < ready; ++event)
                read_from(events.at(static_cast<std::size_t>(event)).data.u64);
        }
        return answers_;
    }

  private:
    struct Client {
        Fd socket;
        std::size_t bytes = 0;
    };

    void begin(std::size_t slot) {
        auto& client = clients_[slot];
        client = {};
        while (left_ > 0) {
            const auto address = host(--left_, port_);
            client.socket =
                Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            const int failure = ::connect(
                client.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
            if (failure != 0 && errno != EINPROGRESS) continue; // it is lost
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = slot;
            ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event);
            ++running_;
            return;
        }
    }

    void read_from(std::size_t slot) {
        auto& client = clients_[slot];
        std::array<char, 64> buffer{};
        ssize_t got = 0;
        while ((got = ::read(client.socket.get(), buffer.data(), buffer.size())) > 0)
            client.bytes += static_cast<std::size_t>(got);
        if (got < 0 && errno == EAGAIN) return;
        if (got == 0 && client.bytes == answer_size) ++answers_;
        --running_;
        begin(slot);
    }

    std::size_t left_;
    std::uint16_t port_;
    std::vector<Client> clients_;
    Fd poll_ = Fd::adopt(::epoll_create1(EPOLL_CLOEXEC));
    std::size_t running_ = 0;
    std::size_t answers_ = 0;
};

// Sends an empty datagram to each host, and counts the answers.
class Datagrams {
  public:
    Datagrams(std::size_t count, std::uint16_t port) : count_(count), port_(port) {
        // The kernel's default holds about 250 answers. The kernel gives at most net.core.rmem_max.
        const int size = 16 << 20;
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }

    [[nodiscard]] std::size_t run() {
        std::array<sockaddr_in, batch> hosts{};
        std::array<mmsghdr, batch> messages{};
        for (std::size_t sent = 0; sent < count_;) {
            const auto size = std::min(batch, count_ - sent);
            for (std::size_t at = 0; at < size; ++at) {
                hosts.at(at) = host(sent + at, port_);
                messages.at(at).msg_hdr.msg_name = &hosts.at(at);
                messages.at(at).msg_hdr.msg_namelen = sizeof hosts.at(at);
            }
            const int done = ::sendmmsg(socket_.get(), messages.data(), static_cast<unsigned>(size),
                                        MSG_DONTWAIT);
            if (done > 0) sent += static_cast<std::size_t>(done);
            pollfd writable{socket_.get(), POLLOUT, 0};
            if (done < 0 && ::poll(&writable, 1, patience_ms) <= 0) break;
            receive();
        }
        pollfd readable{socket_.get(), POLLIN, 0};
        while (answers_<count_&& ::poll(&readable, 1, patience_ms)> 0)
            receive();
        return answers_;
    }

  private:
    static constexpr std::size_t batch = 64;

    // Reads all answers that have come.
    void receive() {
        std::array<std::array<char, 64>, batch> buffers{};
        std::array<iovec, batch> pieces{};
        std::array<mmsghdr, batch> messages{};
        for (std::size_t at = 0; at < batch; ++at) {
            pieces.at(at) = {buffers.at(at).data(), buffers.at(at).size()};
            messages.at(at).msg_hdr.msg_iov = &pieces.at(at);
            messages.at(at).msg_hdr.msg_iovlen = 1;
        }
        int got = 0;
        do {
            got = ::recvmmsg(socket_.get(), messages.data(), batch, MSG_DONTWAIT, nullptr);
            for (int at = 0; at < got; ++at)
                if (messages.at(static_cast<std::size_t>(at)).msg_len == answer_size) ++answers_;
        } while (got == static_cast<int>(batch));
    }

    std::size_t count_;
    std::uint16_t port_;
    Fd socket_ = Fd::adopt(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::size_t answers_ = 0;
};

int print_hosts(std::size_t count) {
    for (std::size_t number = 0; number < count; ++number) {
        const auto address = ntohl(host(number, 0).sin_addr.s_addr);
        std::printf("%u.%u.%u.%u\n", address >> 24, address >> 16 & 255, address >> 8 & 255,
                    address & 255);
    }
    return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// Raises the limit of descriptors as far as we may.
void raise_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view mode{argc > 1 ? argv[1] : ""};
    const auto number = [&](int at, std::size_t otherwise) {
        return at < argc ? std::strtoul(argv[at], nullptr, 10) : otherwise;
    };
    const auto count = number(2, 0);
    const auto port = static_cast<std::uint16_t>(number(3, 0));
    if (mode == "hosts") return print_hosts(count);
    if (count == 0 || port == 0 || (mode != "tcp" && mode != "udp")) {
        (void)std::fprintf(stderr, "usage: clock_load tcp|udp|hosts COUNT [PORT [WINDOW]]\n");
        return 2;
    }
    raise_limit();
    const auto start = Clock::now();
    const auto answers = mode == "tcp" ? Connections{count, port, number(4, 4096)}.run()
                                       : Datagrams{count, port}.run();
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    std::printf("%.1f %zu\n", took.count(), answers);
    return answers > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
