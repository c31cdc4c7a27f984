#include "net/socket_owner.h"

#include "core/deadline.h"
#include "core/directory.h"
#include "core/number.h"
#include "core/process_fds.h"
#include "core/process_info.h"
#include "core/process_stat.h"
#include "core/stdio_file.h"
#include "core/user.h"
#include "core/words.h"

#include <array>
#include <cstring>
#include <fmt/core.h>
#include <optional>
#include <unistd.h>

namespace ipcbox::net {

namespace {

// A machine can have a million sockets and descriptors, so the search has a limit.
constexpr std::chrono::seconds patience{2};

struct SocketEntry {
    std::string inode;
    std::optional<uid_t> user; // absent in /proc/net/unix
};

// Word NUMBER of a line of /proc/net, counted from 0. Empty when the line has fewer words.
std::string_view word(std::string_view line, int number) {
    for (; number > 0; --number)
        (void)take_word(line);
    return take_word(line);
}

// Calls ENTRY for each line of a file in /proc/net, and returns its first result.
template <class Entry>
std::optional<SocketEntry> find_line(const char* path, Deadline deadline, Entry entry) {
    const auto file = open_for_reading(path);
    std::array<char, 512> line{};
    while (file && !deadline.passed() && std::fgets(line.data(), line.size(), file.get()))
        if (auto found = entry(std::string_view{line.data()})) return found;
    return std::nullopt;
}

// The bytes of an address from digits like "0100007F". Each group of eight digits is a number of
// four bytes in this machine's order.
std::string bytes_of(std::string_view digits) {
    std::string bytes;
    for (; digits.size() >= 8; digits.remove_prefix(8)) {
        const auto group = whole_number<std::uint32_t>(digits.substr(0, 8), 16).value_or(0);
        std::array<char, sizeof group> raw{};
        std::memcpy(raw.data(), &group, sizeof group);
        bytes.append(raw.data(), raw.size());
    }
    return bytes;
}

// A socket that listens has the state LISTEN. An unconnected datagram socket has CLOSE
// (tcp_states.h).
std::optional<SocketEntry> find_ip(const char* path, const Address& address, std::string_view state,
                                   Deadline deadline) {
    return find_line(path, deadline, [&](std::string_view line) -> std::optional<SocketEntry> {
        const auto local = word(line, 1);
        const auto colon = local.find(':');
        if (colon == std::string_view::npos || word(line, 3) != state) return std::nullopt;
        if (whole_number<std::uint16_t>(local.substr(colon + 1), 16) != address.port())
            return std::nullopt;
        const auto ip = Address::of_ip_bytes(bytes_of(local.substr(0, colon)), 0);
        if (!ip ||
            (ip->ip_bytes() != address.ip_bytes() && !ip->is_wildcard() && !address.is_wildcard()))
            return std::nullopt;
        return SocketEntry{std::string{word(line, 9)}, whole_number<uid_t>(word(line, 7))};
    });
}

std::optional<SocketEntry> find_unix(const std::string& name, Deadline deadline) {
    // The sockets of accepted connections have the same name. Only the listening one has this flag.
    constexpr std::string_view accepts = "00010000";
    const auto end = fmt::format(" {}\n", name);
    return find_line("/proc/net/unix", deadline,
                     [&](std::string_view line) -> std::optional<SocketEntry> {
                         if (word(line, 3) != accepts || !line.ends_with(end)) return std::nullopt;
                         return SocketEntry{std::string{word(line, 6)}, std::nullopt};
                     });
}

// Follows the name of our own process in the error.
constexpr auto own_address = ", which is us: another address that you gave includes it";

bool has_socket(pid_t pid, const std::string& target) {
    bool has = false;
    look_at_descriptors(pid, [&](const auto&, const auto& link) {
        has = link == target;
        return !has;
    });
    return has;
}

std::optional<ProcessInfo> find_holder(const std::string& inode, Deadline deadline) {
    const auto target = fmt::format("socket:[{}]", inode);
    if (!has_own_proc()) return std::nullopt;
    const Directory stream{::opendir("/proc")};
    while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
        if (deadline.passed()) return std::nullopt;
        const auto pid = whole_number<pid_t>(entry->d_name);
        if (pid && has_socket(*pid, target)) return find_process(*pid);
    }
    return std::nullopt;
}

} // namespace

std::string socket_owner(const Address& address, int type) {
    const auto deadline = Deadline::after(patience);
    std::optional<SocketEntry> entry;
    if (address.is_unix()) {
        entry = find_unix(address.text(), deadline);
    } else {
        const bool datagrams = type == SOCK_DGRAM;
        const std::string_view state = datagrams ? "07" : "0A";
        for (const char* path : datagrams ? std::array{"/proc/net/udp", "/proc/net/udp6"}
                                          : std::array{"/proc/net/tcp", "/proc/net/tcp6"})
            if (!entry) entry = find_ip(path, address, state, deadline);
    }
    if (!entry) return {};
    if (const auto process = find_holder(entry->inode, deadline))
        return process->text() + (process->pid == ::getpid() ? own_address : "");
    return entry->user ? fmt::format("a process of {}", user_name(*entry->user)) : std::string{};
}

} // namespace ipcbox::net
