// Clients for the server benchmark. CLIENTS of them run at the same time. Each connects and reads
// the answer to its end; then the next one takes its place, until TOTAL have been served.
//
// Usage: connection_load PORT|PATH CLIENTS TOTAL Prints "CONNECTIONS_PER_SECOND P50_US P99_US
// LOST". A connection is lost when it is refused or reset, or ends without an answer.
#include "core/fd.h"
#include "net/address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
    Fd socket;
    Clock::time_point started;
    bool answered = false;
};

class Load {
  public:
    Load(net::Address server, int total) : server_(server), left_(total) {
        latencies_.reserve(static_cast<std::size_t>(total));
    }

    // False when the server answered no client.
    [[nodiscard]] bool run(int clients) {
        clients_.resize(static_cast<std::size_t>(clients));
        const auto start = Clock::now();
        for (std::size_t each = 0; each < clients_.size(); ++each)
            begin(each);
        std::array<epoll_event, 64> events{};
        while (running_ > 0) {
            const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), 10'000);
            if (count == 0) std::exit(EXIT_FAILURE); // nothing came for ten seconds
            for (int event = 0; event < count; ++event)
                read_from(events.at(static_cast<std::size_t>(event)).data.u64);
        }
        report(std::chrono::duration<double>{Clock::now() - start}.count());
        return answered_ > 0;
    }

  private:
    void begin(std::size_t number) {
        auto& client = clients_[number];
        while (left_ > 0) {
            --left_;
            client = {Fd::adopt(::socket(server_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)),
                      Clock::now()};
            if (::connect(client.socket.get(), server_.data(), server_.size()) == 0) {
                epoll_event event{};
                event.events = EPOLLIN;
                event.data.u64 = number;
                ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event);
                ++running_;
                return;
            }
            ++lost_;
        }
    }

    void read_from(std::size_t number) {
        auto& client = clients_[number];
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(client.socket.get(), buffer.data(), buffer.size());
        if (got > 0) {
            client.answered = true;
            return;
        }
        --running_;
        ++(got < 0 || !client.answered ? lost_ : answered_);
        const std::chrono::duration<double, std::micro> latency = Clock::now() - client.started;
        latencies_.push_back(latency.count());
        client.socket = Fd{};
        begin(number);
    }

    void report(double seconds) {
        std::ranges::sort(latencies_);
        const auto percentile = [this](std::size_t percent) {
            return latencies_.empty() ? 0.0 : latencies_[(latencies_.size() - 1) * percent / 100];
        };
        std::printf("%.0f %.0f %.0f %d\n", static_cast<double>(answered_) / seconds, percentile(50),
                    percentile(99), lost_);
    }

    net::Address server_;
    int left_;
    int running_ = 0;
    int lost_ = 0;
    int answered_ = 0;
    Fd poll_ = Fd::adopt(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<Client> clients_;
    std::vector<double> latencies_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return EXIT_FAILURE;
    const std::string_view where{argv[1]};
    const auto server =
        where.find('/') != std::string_view::npos
            ? net::Address::unix_path(where)
            : *net::Address::parse_ip("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])));
    return Load{server, std::atoi(argv[3])}.run(std::atoi(argv[2])) ? EXIT_SUCCESS : EXIT_FAILURE;
}
