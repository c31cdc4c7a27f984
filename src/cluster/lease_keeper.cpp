#include "cluster/lease_keeper.h"

#include "cluster/command_guard.h"
#include "cluster/guard_channel.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "core/words.h"

#include <array>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace ipcbox::cluster {

namespace {

using State = ClusterTokens::State;

class Keeper {
  public:
    Keeper(const KeeperPlan& plan, const KeeperStart& start, Fd front, Fd leave)
        : plan_(plan), front_(std::move(front)),
          command_(start.front, plan.on_lost, std::move(leave), plan.owner), client_(plan.access),
          tokens_(client_, plan.wish), tell_at_(Deadline::after_or_never(plan.silence)) {
        if (start.place.entry.lease == 0) {
            tokens_.start();
            return;
        }
        place_told_ = start.place.entry.lease;
        renewed_told_ = start.place.times.renewed;
        tokens_.resume(start.place,
                       start.command != 0 ? ClusterTokens::Using::yes : ClusterTokens::Using::no);
        // Even if its command has just ended, the owner runs on, and the front starts another one.
        if (start.command != 0 && (command_.begin(start.command) || plan.owner))
            phase_ = Phase::guarding;
    }

    int run() try {
        for (;;) {
            hear_front();
            tokens_.work();
            hear_command();
            tell_place();
            for (auto before = Phase::done; before != phase_;) {
                before = phase_;
                act();
            }
            tell();
            if (phase_ == Phase::done && !front_.has_unsent()) return exit_status::done;
            wait();
        }
    } catch (const Error& error) {
        // While a command runs, the front starts another keeper.
        if (phase_ == Phase::taking)
            front_.say(fmt::format("end {} {}", exit_status::before_command, error.what()));
        else
            front_.say(fmt::format("why {}", error.what()));
        return error.status();
    }

  private:
    enum class Phase {
        taking,   // we have no token yet
        ready,    // we have it, and the command asks for leave
        guarding, // it runs
        lost,     // it runs, and the lease is over
        giving,
        done,
    };

    [[nodiscard]] LeaseTimes times() const {
        auto times = tokens_.place().times;
        times.grace = plan_.grace.value_or(default_grace_of(times.ttl));
        return times;
    }

    void hear_front() {
        while (const auto line = front_.next()) {
            std::string_view text = *line;
            const auto verb = take_until(text, ' ');
            if (verb == "give")
                give();
            else if (verb == "doubt")
                command_.front_acts();
            else if (verb == "command")
                (void)command_.begin(whole_number<pid_t>(text).value_or(0));
        }
        if (!front_.is_ended()) return;
        is_alone_ = true;
        command_.front_is_gone();
    }

    void give() {
        if (phase_ == Phase::giving || phase_ == Phase::done) return;
        phase_ = Phase::giving;
        tokens_.give();
    }

    // Answers a command that asks for leave, and notices one that has ended.
    void hear_command() {
        if (const auto asking = command_.next_asking()) {
            const bool may = phase_ == Phase::ready && tokens_.state() == State::inside &&
                             doubt_at(times(), BootClock::now()) == Doubt::none &&
                             command_.begin(*asking);
            if (may) phase_ = Phase::guarding;
            command_.answer(may);
        }
        command_.look();
        // The kernel kills the command when the front dies, unless the command has more rights than
        // we.
        if (is_alone_ && !command_.is_running()) give();
    }

    void act() {
        switch (phase_) {
        case Phase::taking:
            return act_while_taking();
        case Phase::ready:
            if (tokens_.state() == State::gone) queue_again();
            return;
        case Phase::guarding:
            if (tokens_.state() == State::gone) return lose();
            return command_.judge(times());
        case Phase::lost:
            return command_.kill();
        case Phase::giving:
            if (tokens_.state() != State::given) return;
            front_.say("given");
            phase_ = Phase::done;
            return;
        case Phase::done:
            return;
        }
    }

    void act_while_taking() {
        switch (tokens_.state()) {
        case State::inside:
            if (doubt_at(times(), BootClock::now()) != Doubt::none) break;
            phase_ = Phase::ready;
            front_.say_renewed(times());
            renewed_told_ = times().renewed;
            return front_.say(fmt::format("inside {} {}", tokens_.place().fence,
                                          plan_.wish.keys.entry(tokens_.place().entry.lease)));
        case State::busy:
            return refuse();
        case State::gone:
            if (plan_.wait.passed()) break;
            return queue_again();
        case State::failed:
            return fail();
        default:
            break;
        }
        if (plan_.wait.passed()) refuse();
    }

    void queue_again() {
        phase_ = Phase::taking;
        if (plan_.tells_result) front_.say("note " + tokens_.queued_again());
        tokens_.start();
    }

    // Fails, because the token was not free in time.
    void refuse() {
        if (!tokens_.holders() && !asked_for_refusal_) {
            tokens_.ask_holders();
            asked_for_refusal_ = true;
            constexpr auto patience_for_names = std::chrono::seconds{1};
            names_by_ = Deadline::after(patience_for_names);
        }
        if (!tokens_.holders() && !names_by_.passed() && !tokens_.is_unreachable()) return;
        front_.say(fmt::format("end {} {}", plan_.busy_status,
                               plan_.tells_result ? tokens_.refusal() : ""));
        give();
    }

    void fail() {
        // The time of -w has run out, and not our own limit.
        if (plan_.wait.passed()) return refuse();
        front_.say(fmt::format("end {} cannot take from {}: {}", exit_status::before_command,
                               plan_.wish.keys.text(), tokens_.error()));
        give();
    }

    void lose() {
        phase_ = Phase::lost;
        front_.say("gone the lease is over");
        command_.kill();
    }

    // Call it before saying "inside".
    void tell_place() {
        const auto place = tokens_.place();
        if (place.entry.revision != 0 && place.entry.lease != place_told_ &&
            tokens_.state() != State::gone) {
            place_told_ = place.entry.lease;
            front_.say(fmt::format("lease {} {}", place.entry.lease, place.entry.revision));
        }
    }

    void tell() {
        const auto place = tokens_.place();
        if (place.times.renewed != renewed_told_) {
            renewed_told_ = place.times.renewed;
            front_.say_renewed(times());
        }
        if (phase_ == Phase::taking && tell_at_.passed()) tell_for_whom();
        front_.flush();
    }

    void tell_for_whom() {
        if (!asked_) {
            asked_ = true;
            tokens_.ask_holders();
        } else if (tokens_.holders()) {
            tell_at_ = Deadline::never();
            front_.say("note waiting for " + names_of(*tokens_.holders()));
        }
    }

    void wait() {
        const auto etcd = client_.poll_entries();
        std::array<pollfd, 6> entries{{
            etcd[0],
            etcd[1],
            is_alone_ ? pollfd{-1, 0, 0} : front_.poll_entry(),
            {phase_ != Phase::done ? command_.leave_fd() : -1, POLLIN, 0},
            {command_.fd(), POLLIN, 0},
            {timer_.fd(), POLLIN, 0},
        }};
        timer_.set(next_boot_time());
        auto deadline = std::min(client_.next_moment(), tokens_.next_moment());
        if (phase_ == Phase::taking) {
            deadline = std::min(deadline, asked_for_refusal_ ? names_by_ : plan_.wait);
            if (!asked_) deadline = std::min(deadline, tell_at_);
        }
        (void)poll_until(entries, deadline);
    }

    [[nodiscard]] std::optional<BootTime> next_boot_time() const {
        const auto keepalive = tokens_.next_boot_time();
        const bool guards = phase_ == Phase::guarding || phase_ == Phase::lost;
        const auto command =
            guards ? command_.next_boot_time(times(), phase_ == Phase::lost) : std::nullopt;
        if (!keepalive || !command) return keepalive ? keepalive : command;
        return std::min(*keepalive, *command);
    }

    const KeeperPlan& plan_;
    GuardChannel front_;
    CommandGuard command_;
    etcd::Client client_;
    ClusterTokens tokens_;
    BootTimer timer_;
    Phase phase_ = Phase::taking;
    bool is_alone_ = false; // the front is gone
    etcd::LeaseId place_told_ = 0;
    BootTime renewed_told_{};
    Deadline tell_at_;
    bool asked_ = false;
    bool asked_for_refusal_ = false;
    Deadline names_by_ = Deadline::never();
};

} // namespace

int keep_lease(const KeeperPlan& plan, const KeeperStart& start, Fd front, Fd leave) {
    sys::call("setsid", ::setsid);
    set_own_name("keep:" + plan.wish.keys.text());
    // These signals are for the front; we end when it ends.
    const BlockedSignals blocked{signal_set({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE})};
    return Keeper{plan, start, std::move(front), std::move(leave)}.run();
}

} // namespace ipcbox::cluster
