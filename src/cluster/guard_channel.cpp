#include "cluster/guard_channel.h"

#include "core/error.h"
#include "core/number.h"
#include "core/syscall.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <sys/socket.h>

namespace ipcbox::cluster {

void GuardChannel::say(std::string_view line) {
    const auto start = unsent_.size();
    unsent_ += line;
    std::replace(unsent_.begin() + static_cast<std::ptrdiff_t>(start), unsent_.end(), '\n', ' ');
    unsent_ += '\n';
    flush();
}

void GuardChannel::say_renewed(const LeaseTimes& times) {
    untold_ = times;
    flush();
}

void GuardChannel::flush() {
    const auto send = [](int fd, const char* text, std::size_t size) {
        return ::send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    };
    for (;;) {
        if (unsent_.empty()) {
            if (!untold_) return;
            unsent_ = fmt::format("renewed {} {}\n", untold_->renewed.time_since_epoch().count(),
                                  untold_->ttl.count());
            untold_.reset();
        }
        const auto sent = sys::call("send", send, socket_.get(), unsent_.c_str(), unsent_.size());
        if (sent > 0) {
            unsent_.erase(0, static_cast<std::size_t>(sent));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return;
        // The other end is closed. is_ended() says so when next() has returned everything that came
        // before.
        unsent_.clear();
        untold_.reset();
        return;
    }
}

void GuardChannel::receive() {
    const auto take = [](int fd, char* into, std::size_t size) {
        return ::recv(fd, into, size, MSG_DONTWAIT);
    };
    while (!ended_) {
        std::array<char, 4096> block; // NOLINT(cppcoreguidelines-pro-type-member-init)
        const auto got = sys::call("recv", take, socket_.get(), block.data(), block.size());
        if (got > 0) {
            received_.append(block.data(), static_cast<std::size_t>(got));
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == ENOMEM)) return;
        ended_ = true;
    }
}

std::optional<std::string> GuardChannel::next() {
    if (received_.find('\n') == std::string::npos) receive();
    const auto end = received_.find('\n');
    if (end == std::string::npos) {
        if (ended_) received_.clear();
        return std::nullopt;
    }
    auto line = received_.substr(0, end);
    received_.erase(0, end + 1);
    return line;
}

void update(LeaseTimes& times, std::string_view when_and_ttl) {
    const auto when = whole_number<Duration::rep>(take_until(when_and_ttl, ' '));
    const auto ttl = whole_number<Duration::rep>(when_and_ttl);
    if (!when || !ttl) return;
    times.renewed = BootTime{Duration{*when}};
    times.ttl = Duration{*ttl};
}

} // namespace ipcbox::cluster
