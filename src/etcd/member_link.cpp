#include "etcd/member_link.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/resolve.h"
#include "net/socket_options.h"

#include <algorithm>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace ipcbox::etcd {

namespace {

using namespace std::chrono_literals;

constexpr Duration first_pause = 50ms;
constexpr Duration max_pause = 400ms;
constexpr Duration max_patience = 4s;
constexpr auto max_look_up = 1s;

// A socket that is connecting to ADDRESS.
Fd begin_connect(const net::Address& address) {
    const int number = sys::call("socket", ::socket, address.family(),
                                 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) throw SysError("make", "a socket");
    Fd socket = Fd::adopt(number);
    net::set_socket_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    if (sys::call("connect", ::connect, socket.get(), address.data(), address.size()) < 0 &&
        errno != EINPROGRESS)
        throw Error(std::string{error_text(errno)});
    return socket;
}

// DURATION doubled TIMES times, but at most MAX.
Duration doubled(Duration duration, unsigned times, Duration max) {
    for (; times > 0 && duration < max; --times)
        duration = std::min(2 * duration, max);
    return duration;
}

} // namespace

MemberLink::MemberLink(Access access)
    : access_(std::move(access)), pause_(Deadline::after(Duration::zero())) {
    access_.tls.application_protocol = "h2";
    for (const auto& endpoint : access_.endpoints)
        members_.push_back({endpoint, {}});
}

Duration MemberLink::patience(unsigned failed_attempts) const {
    return doubled(patience_, failed_attempts, max_patience);
}

net::Address MemberLink::next_address() {
    auto& [endpoint, addresses, next, problem, is_hopeless] = member();
    if (next >= addresses.size()) {
        const auto& place = endpoint.place;
        addresses =
            net::resolve(place.host, place.port, net::Family::any, Deadline::after(max_look_up));
        next = 0;
    }
    return addresses[next++];
}

void MemberLink::connect() {
    try {
        const auto& endpoint = member().endpoint;
        Fd socket = begin_connect(next_address());
        if (endpoint.is_https) {
            auto options = access_.tls;
            options.name = endpoint.place.host;
            connection_ = std::make_unique<GrpcConnection>(
                std::make_unique<net::TlsProcess>(std::move(socket), options),
                endpoint.place.text());
        } else {
            connection_ =
                std::make_unique<GrpcConnection>(std::move(socket), endpoint.place.text());
        }
        const auto rounds = failures_ / static_cast<unsigned>(members_.size());
        established_by_ = Deadline::after(patience(rounds));
    } catch (const Error& error) {
        fail_connection(unavailable(error.what()));
    }
}

void MemberLink::connect_if_due() {
    for (std::size_t tries = 0; !connection_ && tries <= members_.size() && pause_.passed();
         ++tries)
        connect();
}

void MemberLink::work() {
    if (connection_) connection_->work();
    if (!connection_ || !connection_->is_established()) return;
    established_by_ = Deadline::never();
    was_established_ = true;
}

void MemberLink::flush() {
    if (connection_) connection_->flush();
}

bool MemberLink::give_up_on_broken() {
    if (!connection_) return false;
    if (!connection_->is_open()) {
        const auto why = connection_->why_broken();
        fail_connection(why);
        return true;
    }
    if (!established_by_.passed()) return false;
    fail_connection(unavailable("no answer"));
    return true;
}

void MemberLink::fail_connection(const GrpcStatus& why) {
    auto& [endpoint, addresses, next, problem, is_hopeless] = member();
    const bool was_established = connection_ && connection_->is_established();
    if (!was_established && next < addresses.size()) { // try the next address of the member first
        problem = why.message;
        is_hopeless = why.is_hopeless;
        connection_.reset();
        return;
    }
    fail(why, Keep::no);
}

void MemberLink::fail(const GrpcStatus& why, Keep keep) {
    member().problem = why.message;
    member().is_hopeless = why.is_hopeless;
    ++failures_;
    const auto count = static_cast<unsigned>(members_.size());
    if (failures_ % count == 0)
        pause_ = Deadline::after(doubled(first_pause, failures_ / count - 1, max_pause));
    if (keep == Keep::yes && members_.size() == 1) return;
    connection_.reset();
    at_ = (at_ + 1) % members_.size();
}

void MemberLink::succeed() {
    failures_ = 0;
    member().problem.clear();
    member().is_hopeless = false;
}

bool MemberLink::is_hopeless() const {
    return std::ranges::all_of(members_, &Member::is_hopeless);
}

std::string MemberLink::problems() const {
    std::string all;
    for (const auto& [endpoint, addresses, next, problem, is_hopeless] : members_)
        if (!problem.empty())
            all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", endpoint.text(), problem);
    return all;
}

std::array<pollfd, 2> MemberLink::poll_entries() const {
    if (connection_) return connection_->poll_entries();
    return {{{-1, 0, 0}, {-1, 0, 0}}};
}

Deadline MemberLink::next_moment() const {
    if (!pause_.passed()) return pause_;
    // If the connection broke while we sent, it has no descriptor left, and poll would not report
    // it.
    const bool is_open = connection_ && connection_->is_open();
    return is_open ? established_by_ : Deadline::after(Duration::zero());
}

} // namespace ipcbox::etcd
