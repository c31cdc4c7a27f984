#include "sysv/keeper.h"

#include "core/child.h"
#include "core/io.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/poll.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::sysv {

namespace {

constexpr std::string_view name_prefix = "hold:"; // with a pid at most 15 bytes, like every name
constexpr std::string_view pipe_name = "a pipe";

// The life of the keeper. It takes the token, closes everything else, reports success by one byte,
// and ends when the owner ends.
int keep(pid_t owner, const Fd& owner_handle, Pipe& pipe, const std::function<int()>& take) {
    pipe.reader = Fd{}; // if nobody reads the byte, SIGPIPE ends us
    set_own_name(fmt::format("{}{}", name_prefix, owner));
    if (const int status = take(); status != exit_status::done) return status;
    detach_from_session();
    outlive_parent();
    write_all(pipe.writer.get(), "k", pipe_name);
    close_descriptors_except(owner_handle);
    (void)wait_for(owner_handle.get(), POLLIN, Deadline::never());
    return exit_status::done;
}

} // namespace

int start_keeper(pid_t owner, const Border& border, const std::function<int()>& take) {
    const auto handle = open_process(owner);
    if (!handle) throw Error(fmt::format("cannot hold for {}: no such process", owner));
    Pipe pipe = make_pipe();
    Child keeper = fork_child([&, parent = ::getpid()] {
        end_with_parent(parent);
        return border([&] { return keep(owner, *handle, pipe, take); });
    });
    pipe.writer = Fd{};
    std::byte byte{};
    if (read_some(pipe.reader.get(), {&byte, 1}, pipe_name) == 0)
        return keeper.wait().as_exit_status();
    keeper.release();
    return exit_status::done;
}

pid_t owner_of_keeper(const ProcessInfo& process) {
    if (!process.name.starts_with(name_prefix)) return 0;
    pid_t owner = 0;
    const auto digits = std::string_view{process.name}.substr(name_prefix.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), owner);
    return owner;
}

bool end_keeper_of_ancestor(std::span<const TokenHolder> holders) {
    const auto keeper = std::ranges::find_if(holders, [](const TokenHolder& holder) {
        return holder.lease == Lease::until_owner_ends && is_self_or_ancestor(holder.kept_for());
    });
    if (keeper == holders.end()) return false;
    const auto process = open_process(keeper->pid);
    if (!process) return true;
    // Not SIGTERM: it may be ignored in the keeper. The keeper has nothing to clean up.
    send_signal(*process, SIGKILL);
    (void)wait_for(process->get(), POLLIN, Deadline::never());
    return true;
}

} // namespace ipcbox::sysv
