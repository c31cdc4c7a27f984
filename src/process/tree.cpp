#include "process/tree.h"

#include "core/directory.h"
#include "core/number.h"
#include "core/process_stat.h"
#include "core/words.h"
#include "process/insist.h"

#include <algorithm>
#include <fmt/core.h>
#include <string_view>

namespace ipcbox::process {

std::vector<pid_t> threads_of(pid_t pid) {
    std::vector<pid_t> threads;
    if (!has_own_proc()) return threads;
    const Directory directory{::opendir(fmt::format("/proc/{}/task", pid).c_str())};
    while (directory != nullptr) {
        const auto* entry = ::readdir(directory.get());
        if (entry == nullptr) break;
        if (const auto thread = whole_number<pid_t>(entry->d_name)) threads.push_back(*thread);
    }
    return threads;
}

std::vector<pid_t> children_of(const ProcessStat& stat) {
    std::vector<pid_t> children;
    const auto add = [&](pid_t thread) {
        const auto file = fmt::format("task/{}/children", thread);
        const auto text = insist([&] { return read_process_file(stat.pid, file); });
        if (!text) return;
        for (std::string_view left = *text; !left.empty();)
            if (const auto child = whole_number<pid_t>(take_until(left, ' ')))
                children.push_back(*child);
    };
    if (stat.threads == 1)
        add(stat.pid);
    else
        std::ranges::for_each(threads_of(stat.pid), add);
    return children;
}

std::vector<pid_t> children_of(pid_t pid) {
    const auto stat = insist([pid] { return read_process_stat(pid); });
    return stat ? children_of(*stat) : std::vector<pid_t>{};
}

std::vector<pid_t> descendants_of(pid_t pid) {
    std::vector<pid_t> all = children_of(pid);
    for (std::size_t at = 0; at < all.size(); ++at)
        for (const pid_t child : children_of(all[at]))
            all.push_back(child);
    return all;
}

std::vector<Root> roots_of(std::span<const pid_t> pids) {
    std::vector<Root> roots;
    for (const auto pid : pids)
        if (const auto stat = insist([pid] { return read_process_stat(pid); }))
            roots.push_back({pid, stat->start_ticks});
    return roots;
}

} // namespace ipcbox::process
