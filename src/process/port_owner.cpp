#include "process/port_owner.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/process_fds.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "process/tree.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::process {

namespace {

// A machine can have a million sockets, each with a line of 150 bytes.
std::string table_of(pid_t pid, std::string_view name) try {
    constexpr std::size_t limit = 256UL * 1024 * 1024;
    const auto path = fmt::format("/proc/{}/net/{}", pid, name);
    return read_to_end(open_file(path, O_RDONLY).get(), limit, path);
} catch (const Error&) { // the process has ended, or there is no IPv6
    return {};
}

bool has_one_of(pid_t pid, const std::vector<std::string>& links) {
    bool has = false;
    look_at_descriptors(pid, [&](const auto&, const auto& link) {
        has = std::ranges::find(links, link) != links.end();
        return !has;
    });
    return has;
}

} // namespace

std::vector<ino_t> listening_sockets(std::string_view table, std::uint16_t port) {
    // "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 …":
    // the address in hexadecimal, the state LISTEN (tcp_states.h), and the inode.
    constexpr std::string_view listens = "0A";
    std::vector<ino_t> inodes;
    TextLines lines{table};
    while (const auto line = lines.next()) {
        auto rest = line->text;
        std::array<std::string_view, 10> words;
        std::ranges::generate(words, [&rest] { return take_word(rest); });
        const auto colon = words[1].rfind(':');
        if (words[3] != listens || colon == std::string_view::npos) continue;
        if (whole_number<std::uint16_t>(words[1].substr(colon + 1), 16) != port) continue;
        if (const auto inode = whole_number<ino_t>(words[9])) inodes.push_back(*inode);
    }
    return inodes;
}

bool tree_listens(pid_t root, std::uint16_t port) {
    std::vector<std::string> links;
    for (const char* name : {"tcp", "tcp6"})
        for (const ino_t inode : listening_sockets(table_of(root, name), port))
            links.push_back(socket_link(inode));
    if (links.empty()) return false;
    if (has_one_of(root, links)) return true;
    return std::ranges::any_of(descendants_of(root),
                               [&](pid_t pid) { return has_one_of(pid, links); });
}

} // namespace ipcbox::process
