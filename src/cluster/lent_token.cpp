#include "cluster/lent_token.h"

#include "core/poll.h"
#include "core/signals.h"

#include <array>
#include <csignal>
#include <fmt/core.h>

namespace ipcbox::cluster {

namespace {

using State = ClusterTokens::State;

class Lending {
  public:
    Lending(etcd::Client& client, const LendPlan& plan)
        : client_(client), plan_(plan), tokens_(client, plan.wish),
          tell_at_(Deadline::after_or_never(plan.silence)) {}

    Lent run() {
        Lent lent;
        tokens_.start();
        while (!lent.is_taken && lent.signal == 0) {
            tokens_.work();
            const auto state = tokens_.state();
            if (state == State::inside)
                lent.is_taken = detach();
            else if (state == State::gone)
                queue_again();
            else if (state == State::failed && !plan_.wait.passed())
                throw Error(fmt::format("cannot take from {}: {}", plan_.wish.keys.text(),
                                        tokens_.error()));
            else if (state == State::busy || plan_.wait.passed())
                break;
            if (lent.is_taken) break;
            tell();
            wait(asked_ ? plan_.wait : std::min(plan_.wait, tell_at_));
            lent.signal = signals_.next().value_or(0);
        }
        if (!lent.is_taken && lent.signal == 0) lent.refusal = ask_holders();
        lent.entry = tokens_.place().entry;
        leave();
        return lent;
    }

  private:
    bool detach() {
        const auto request = lend_request(plan_.wish.keys, plan_.wish.entry, tokens_.place().entry);
        if (client_.call(request, Deadline::after(plan_.wish.ttl)).succeeded) return true;
        queue_again(); // the lease was over already
        return false;
    }

    void queue_again() {
        plan_.tell(tokens_.queued_again());
        tokens_.start();
    }

    void tell() {
        if (!tell_at_.passed()) return;
        if (!asked_) {
            asked_ = true;
            tokens_.ask_holders();
        } else if (tokens_.holders()) {
            tell_at_ = Deadline::never();
            plan_.tell("waiting for " + names_of(*tokens_.holders()));
        }
    }

    std::string ask_holders() {
        constexpr auto patience = std::chrono::seconds{1};
        const auto limit = Deadline::after(patience);
        tokens_.ask_holders();
        while (!tokens_.holders() && !limit.passed() && !tokens_.is_unreachable()) {
            wait(limit);
            tokens_.work();
        }
        return tokens_.refusal();
    }

    // Waits only a little: without us, the entry goes when its lease ends.
    void leave() {
        constexpr auto patience = std::chrono::seconds{2};
        const auto limit = Deadline::after(patience);
        tokens_.give();
        while (tokens_.state() != State::given && !limit.passed()) {
            wait(limit);
            tokens_.work();
        }
    }

    void wait(Deadline limit) {
        const auto etcd = client_.poll_entries();
        std::array<pollfd, 3> entries{{etcd[0], etcd[1], {signals_.fd(), POLLIN, 0}}};
        auto moment = std::min({limit, client_.next_moment(), tokens_.next_moment()});
        if (const auto boot = tokens_.next_boot_time())
            moment = std::min(moment, Deadline::after(*boot - BootClock::now()));
        (void)poll_until(entries, moment);
    }

    etcd::Client& client_;
    const LendPlan& plan_;
    ClusterTokens tokens_;
    SignalFd signals_{SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    Deadline tell_at_;
    bool asked_ = false;
};

} // namespace

Lent take_lent_token(etcd::Client& client, const LendPlan& plan) {
    return Lending{client, plan}.run();
}

} // namespace ipcbox::cluster
