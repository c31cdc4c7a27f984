#include "net/peer_process.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/number.h"
#include "core/path.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/syscall.h"
#include "core/user.h"
#include "net/socket_options.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

// The headers of glibc 2.36 lack it.
#ifndef SO_PEERPIDFD
#if defined(__hppa__)
#define SO_PEERPIDFD 0x404B
#elif defined(__sparc__)
#define SO_PEERPIDFD 0x0056
#else
#define SO_PEERPIDFD 77
#endif
#endif

namespace ipcbox::net {

namespace {

template <class Value> bool ask(int socket, int option, Value& into) {
    return get_socket_option(socket, SOL_SOCKET, option, into) == 0;
}

// Empty when the process has ended, or when we have no descriptor left. Without a handle, we take
// no process for the peer.
Fd handle_of(int socket, pid_t pid) {
    int number = -1;
    if (ask(socket, SO_PEERPIDFD, number)) return Fd::adopt(number);
    if (errno != ENOPROTOOPT || pid == 0) return {};
    try {
        return open_process(pid).value_or(Fd{});
    } catch (const SysError&) {
        return {};
    }
}

// Follows symbolic links, also those of /proc.
std::optional<FileIdentity> file_at(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return std::nullopt;
    return FileIdentity{status};
}

template <class Id> void set_once(std::optional<Id>& condition, Id value, std::string_view what) {
    if (condition) throw std::invalid_argument(fmt::format("expected one {} only", what));
    condition = std::move(value);
}

template <class Id> Id id_number(std::string_view text, std::string_view key) {
    // The largest number is not a user: for chown(2) and others it means "none".
    const auto number = whole_number<Id>(text);
    if (!number || *number == static_cast<Id>(-1))
        throw std::invalid_argument(fmt::format("expected a number after {}=", key));
    return *number;
}

uid_t uid_of(std::string_view name) {
    if (const auto user = find_user(name)) return user->uid;
    throw std::invalid_argument(fmt::format("there is no user '{}'", name));
}

gid_t gid_of(std::string_view name) {
    if (const auto group = find_group(name)) return *group;
    throw std::invalid_argument(fmt::format("there is no group '{}'", name));
}

} // namespace

PeerProcess PeerProcess::of(int socket, Handle handle) {
    ucred credentials{};
    if (!ask(socket, SO_PEERCRED, credentials)) throw SysError("find", "the peer's process");
    PeerProcess peer;
    peer.pid = credentials.pid;
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
    if (handle == Handle::take) peer.pidfd_ = handle_of(socket, peer.pid);
    return peer;
}

std::optional<std::string> PeerProcess::exe() const {
    if (!pidfd_ || pid == 0 || !has_own_proc()) return std::nullopt;
    auto path = read_link(fmt::format("/proc/{}/exe", pid));
    if (!path || !runs_still()) return std::nullopt;
    return path;
}

bool PeerProcess::runs(const std::string& path) const {
    if (!pidfd_ || pid == 0 || !has_own_proc()) return false;
    const auto theirs = file_at(fmt::format("/proc/{}/exe", pid));
    return theirs && theirs == file_at(path) && runs_still();
}

// Call this after reading /proc. If the process still runs, the pid belonged to it while we read.
bool PeerProcess::runs_still() const {
    return !wait_for(pidfd_.get(), POLLIN, Deadline::after(Duration::zero()));
}

PeerRule PeerRule::parse(std::string_view text) {
    PeerRule rule;
    for (;;) {
        const auto condition = text.substr(0, text.find(','));
        const auto equals = condition.find('=');
        const auto key = condition.substr(0, equals);
        const auto value =
            equals == std::string_view::npos ? std::string_view{} : condition.substr(equals + 1);
        if (key == "uid")
            set_once(rule.uid_, id_number<uid_t>(value, key), "user");
        else if (key == "user")
            set_once(rule.uid_, uid_of(value), "user");
        else if (key == "gid")
            set_once(rule.gid_, id_number<gid_t>(value, key), "group");
        else if (key == "group")
            set_once(rule.gid_, gid_of(value), "group");
        else if (key == "exe" && value.starts_with('/'))
            set_once(rule.exe_, std::string{value}, "program");
        else if (key == "exe")
            throw std::invalid_argument("expected the full path of a program after exe=");
        else
            throw std::invalid_argument(fmt::format("expected uid=, gid=, user=, group= or exe=, "
                                                    "and not '{}'",
                                                    key));
        if (condition.size() == text.size()) return rule;
        text.remove_prefix(condition.size() + 1);
    }
}

bool PeerRule::matches(const PeerProcess& peer) const {
    return (!uid_ || *uid_ == peer.uid) && (!gid_ || *gid_ == peer.gid) &&
           (!exe_ || peer.runs(*exe_));
}

} // namespace ipcbox::net
