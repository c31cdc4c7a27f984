#include "process/readiness.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "process/port_owner.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

// The bytes that can be read without waiting: empty when no byte has come yet, nothing at the end
// of the file.
std::optional<std::string> read_now(int fd, std::string_view object) {
    std::array<char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    if (!wait_for(fd, POLLIN, Deadline::after(Duration::zero()))) return std::string{};
    const auto count = read_some(fd, std::as_writable_bytes(std::span{buffer}), object);
    if (count == 0) return std::nullopt;
    return std::string{buffer.data(), count};
}

} // namespace

Readiness::Readiness(ReadyPlan plan) : plan_(std::move(plan)) {
    if (plan_.by_descriptor) pipe_ = make_pipe();
    if (plan_.by_notification) listen_for_notification();
    for (const auto& path : plan_.files) {
        Fd file = open_file(path, O_RDONLY | O_NOCTTY);
        if (sys::call("lseek", ::lseek, file.get(), off_t{0}, SEEK_END) < 0)
            throw SysError("follow", path);
        followed_.push_back({std::move(file)});
    }
}

// Lets the kernel choose a name (unix(7), "autobind"), so that no file is left behind.
void Readiness::listen_for_notification() {
    constexpr std::string_view object = "a socket for notifications";
    const int number =
        sys::call("socket", ::socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) throw SysError("open", object);
    socket_ = Fd::adopt(number);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address.sun_family;
    const int on = 1;
    if (sys::call("bind", ::bind, socket_.get(), static_cast<const sockaddr*>(any), size) < 0 ||
        sys::call("setsockopt", ::setsockopt, socket_.get(), SOL_SOCKET, SO_PASSCRED,
                  static_cast<const void*>(&on), socklen_t{sizeof on}) < 0)
        throw SysError("open", object);
    size = sizeof address;
    if (sys::call("getsockname", ::getsockname, socket_.get(), any, &size) < 0)
        throw SysError("open", object);
    const auto length = size - offsetof(sockaddr_un, sun_path) - 1;
    socket_name_ = "@" + std::string(static_cast<const char*>(address.sun_path) + 1, length);
}

bool Readiness::has_conditions() const {
    return plan_.by_descriptor || plan_.by_notification || plan_.port || plan_.is_ready_line;
}

std::string Readiness::missing() const {
    if (plan_.by_descriptor) return "it has not written a line to the descriptor of --ready-fd";
    if (plan_.by_notification) return "it has not sent READY=1";
    if (plan_.port) return fmt::format("it does not listen on port {}", *plan_.port);
    return "no line of its output matches --ready-log";
}

void Readiness::read_notifications() {
    for (;;) {
        std::array<char, 4096> text{};
        alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(ucred))> control{};
        iovec piece{text.data(), text.size()};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const auto count =
            sys::call("recvmsg", ::recvmsg, socket_.get(), &message, MSG_CMSG_CLOEXEC);
        if (count < 0) return;
        const cmsghdr* header = CMSG_FIRSTHDR(&message);
        if (header == nullptr || header->cmsg_type != SCM_CREDENTIALS) continue;
        ucred sender{};
        std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
        // Check the sender: every process of the machine can send to this name.
        if (sender.uid != 0 && sender.uid != ::geteuid() && sender.uid != plan_.user) continue;
        const auto lines =
            fmt::format("\n{}\n", std::string_view{text.data(), static_cast<std::size_t>(count)});
        if (lines.find("\nREADY=1\n") != std::string::npos) plan_.by_notification = false;
    }
}

void Readiness::read_logs() {
    for (auto& [file, begun] : followed_)
        for (;;) {
            std::array<char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
            const auto count = read_some(file.get(), std::as_writable_bytes(std::span{buffer}),
                                         "the daemon's output");
            if (count == 0) break;
            begun.append(buffer.data(), count);
            for (auto end = begun.find('\n'); end != std::string::npos; end = begun.find('\n')) {
                if (plan_.is_ready_line && plan_.is_ready_line({begun.data(), end}))
                    plan_.is_ready_line = nullptr;
                begun.erase(0, end + 1);
            }
        }
}

bool Readiness::read_channel(const Fd& channel) {
    heard_ += read_now(channel.get(), "the keeper").value_or("");
    if (heard_.find("ready\n") != std::string::npos) plan_.is_ready_line = nullptr;
    return heard_.find("ended\n") == std::string::npos;
}

bool Readiness::read_descriptor() {
    const auto text = read_now(pipe_.reader.get(), "the daemon");
    if (!text) return false;
    if (text->find('\n') != std::string::npos) plan_.by_descriptor = false;
    return true;
}

// Reads everything that the daemon wrote before it ended.
void Readiness::read_all() {
    if (plan_.by_descriptor) (void)read_descriptor();
    if (plan_.by_notification) read_notifications();
    if (plan_.is_ready_line) read_logs();
}

Readiness::Outcome Readiness::wait(Child& daemon, Fd& channel, SignalFd& signals) {
    using Kind = Outcome::Kind;
    pipe_.writer = Fd{};
    const bool asks = has_conditions();
    const auto end = asks ? Deadline::after_or_never(plan_.limit) : Deadline::after(plan_.settle);
    // Ports and files have no event that we could wait for.
    constexpr auto pause = std::chrono::milliseconds{10};
    // A daemon without a handle: there was no descriptor left when it started.
    if (daemon.pidfd() < 0)
        if (const auto status = daemon.wait_until(Deadline::after(Duration::zero())))
            return {Kind::ended, status};
    for (;;) {
        const bool looks = plan_.port || (plan_.is_ready_line && !followed_.empty());
        std::array entries{pollfd{daemon.pidfd(), POLLIN, 0},
                           pollfd{plan_.by_descriptor ? pipe_.reader.get() : -1, POLLIN, 0},
                           pollfd{plan_.by_notification ? socket_.get() : -1, POLLIN, 0},
                           pollfd{channel.get(), POLLIN, 0}, pollfd{signals.fd(), POLLIN, 0}};
        (void)poll_until(entries, looks ? std::min(end, Deadline::after(pause)) : end);
        if (entries[0].revents != 0) return {Kind::ended, daemon.wait()};
        if (entries[1].revents != 0 && !read_descriptor()) {
            // The daemon may be about to end: the kernel closes the files first.
            if (const auto status = daemon.wait_until(Deadline::after(plan_.settle)))
                return {Kind::ended, status};
            return {Kind::hung_up, std::nullopt,
                    "it closed the descriptor of --ready-fd without writing a line"};
        }
        if (entries[2].revents != 0) read_notifications();
        if (plan_.is_ready_line) read_logs();
        if (plan_.port && tree_listens(daemon.pid(), *plan_.port)) plan_.port.reset();
        if (entries[3].revents != 0 && !read_channel(channel)) {
            read_all();
            if (!asks || has_conditions()) {
                channel = Fd{};
                return {Kind::ended, daemon.wait()};
            }
        }
        if (asks && !has_conditions()) return {Kind::ready};
        if (entries[4].revents != 0)
            if (const auto signal = signals.next()) return {Kind::stopped, {}, {}, *signal};
        if (end.passed()) {
            if (!asks) return {Kind::up};
            return {Kind::timed_out, std::nullopt, missing()};
        }
    }
}

} // namespace ipcbox::process
