#include "front/ipc/keeper_process.h"

#include "cli/border.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/socket_pair.h"
#include "core/words.h"

#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

// If this many keepers have ended, something is badly wrong.
constexpr int max_keepers = 100;

} // namespace

void KeeperProcess::start(pid_t command) {
    if (++count_ > max_keepers)
        throw Error("cannot keep the lease: its keeper ends again and again" + why_);
    auto lines = make_socket_pair();
    auto leave = make_socket_pair();
    const cluster::KeeperStart start{place_, command, ::getpid()};
    child_ = fork_child([&] {
        // Close everything else. Readers of our output, and processes that wait for our locks, must
        // not wait for the keeper.
        close_descriptors_except({lines.theirs.get(), leave.theirs.get()});
        for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard)
            let_go_of(standard, "a standard descriptor");
        return cli::guarded([&] {
            return cluster::keep_lease(plan_, start, std::move(lines.theirs),
                                       std::move(leave.theirs));
        });
    });
    pid_ = child_.pid();
    has_token_ = false;
    channel_ = cluster::GuardChannel{std::move(lines.ours)};
    leave_ = std::move(leave.ours);
}

void KeeperProcess::replace() {
    let_go();
    hear(); // hear its last lines
    start(0);
}

void KeeperProcess::mind(pid_t command) {
    if (pid_ != 0 && child_.reap_if_ended()) pid_ = 0;
    // It ends, or else we could never hear it again.
    if (pid_ != 0 && channel_.is_ended()) let_go();
    if (pid_ != 0) return;
    hear();
    if (!is_given_ && !is_gone_ && !end_) start(command);
}

void KeeperProcess::let_go() {
    child_ = Child{}; // this kills it
    pid_ = 0;
}

void KeeperProcess::child_ended(pid_t pid) {
    if (pid != pid_) return;
    child_.release();
    pid_ = 0;
}

void KeeperProcess::hear() {
    channel_.flush();
    while (const auto line = channel_.next()) {
        std::string_view text = *line;
        const auto verb = take_until(text, ' ');
        if (verb == "note")
            cli::diagnose(text);
        else if (verb == "lease")
            hear_place(text);
        else if (verb == "inside")
            hear_inside(text);
        else if (verb == "renewed")
            hear_renewed(text);
        else if (verb == "gone")
            is_gone_ = true;
        else if (verb == "end")
            hear_end(text);
        else if (verb == "why")
            why_ = fmt::format(": {}", text);
        else if (verb == "given")
            (is_asked_to_give_ || end_ ? is_given_ : is_gone_) = true;
    }
}

void KeeperProcess::hear_place(std::string_view text) {
    place_.entry.lease = whole_number<etcd::LeaseId>(take_until(text, ' ')).value_or(0);
    place_.entry.revision = whole_number<etcd::Revision>(text).value_or(0);
    place_.fence = 0;
    has_token_ = false;
}

void KeeperProcess::hear_inside(std::string_view text) {
    place_.fence = whole_number<etcd::Revision>(take_until(text, ' ')).value_or(0);
    key_ = text;
    has_token_ = true;
}

void KeeperProcess::hear_renewed(std::string_view text) {
    cluster::update(place_.times, text);
    place_.times.grace = plan_.grace.value_or(cluster::default_grace_of(place_.times.ttl));
}

void KeeperProcess::hear_end(std::string_view text) {
    const auto status = whole_number<int>(take_until(text, ' '));
    end_ = End{status.value_or(exit_status::before_command), std::string{text}};
}

void KeeperProcess::give(Deadline deadline) {
    is_asked_to_give_ = true;
    count_ = 0; // what ended the others may not concern one that only gives
    say("give");
    for (;;) {
        hear();
        if (is_given_ || deadline.passed()) return child_.release();
        if (channel_.is_ended()) {
            // The keeper was killed. Another one gives the token back.
            let_go();
            if (end_ || place_.entry.lease == 0) return;
            start(0);
            say("give");
        }
        auto entry = channel_.poll_entry();
        (void)poll_until({&entry, 1}, deadline);
    }
}

} // namespace ipcbox::front
