#include "clocks/exchanges.h"

#include "core/poll.h"

#include <algorithm>

namespace ipcbox::clocks {

namespace {

// Each TLS exchange needs a process of its own.
constexpr std::size_t max_tls_at_once = 64;

} // namespace

Exchanges::Exchanges(const SurveyOptions& options) : Exchanges() {
    if (options.asks(Source::https)) tls_.emplace(options.tls);
}

Exchanges::~Exchanges() = default;

std::size_t Exchanges::make_room(std::size_t wanted) const {
    constexpr std::size_t other_descriptors = 16;
    // An exchange needs a socket. With TLS it also needs a pipe and a pair of sockets to its
    // process.
    const std::size_t for_each = tls_ ? 5 : 1;
    if (tls_) wanted = std::min(wanted, max_tls_at_once);
    const auto limit = raise_descriptor_limit(wanted * for_each + other_descriptors);
    const auto room = std::max(limit, other_descriptors + for_each) - other_descriptors;
    return std::min(wanted, room / for_each);
}

void Exchanges::send(std::size_t number, Source source, const net::Address& address) {
    const auto nonce = source == Source::ntp ? nonces_.next() : 0; // only NTP sends it back
    udp_.ask(number, source, address, nonce);
}

Exchanges::Connection Exchanges::connect(std::size_t number, Source source,
                                         const net::Address& address, const std::string& name,
                                         Deadline deadline) {
    auto words = question(source, net::HostPort{name, address.port()}.text(), 0);
    Connection connection{.number = number, .source = source};
    if (is_tls(source))
        tls_->start(number, {address, name, std::move(words)}, deadline);
    else
        connection.slot = tcp_.start(number, source, address, std::move(words));
    return connection;
}

Exchange Exchanges::stop(const Connection& connection) {
    if (!is_tls(connection.source)) return tcp_.stop(connection.slot);
    tls_->give_up(connection.number);
    return {};
}

std::size_t Exchanges::open_connections() const {
    return tcp_.size() + (tls_ ? tls_->size() : 0);
}

std::array<pollfd, 4> Exchanges::poll_entries() const {
    const auto udp = udp_.poll_entries();
    return {pollfd{tcp_.fd(), POLLIN, 0}, {tls_ ? tls_->fd() : -1, POLLIN, 0}, udp[0], udp[1]};
}

void Exchanges::work(std::vector<Exchange>& results) {
    tcp_.work(results);
    if (tls_) tls_->work(results);
    udp_.work(results);
}

} // namespace ipcbox::clocks
