// The keeper of a lease as the front sees it: a child that is started, heard, and replaced when
// it is killed.
#pragma once

#include "cluster/guard_channel.h"
#include "cluster/lease_keeper.h"
#include "core/child.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

class KeeperProcess {
  public:
    explicit KeeperProcess(const cluster::KeeperPlan& plan) : plan_(plan) {}

    // Starts it, or another one that goes on where the last one stopped. COMMAND is the one that
    // runs already, or 0. Throws Error when keepers end again and again.
    void start(pid_t command);
    // Kills this one: it could still give leave to a command that no longer waits for it.
    void replace();
    // Starts another one if this one was killed, or cannot be heard any more, and there is
    // something left to keep.
    void mind(pid_t command);
    // What the front's loop knows of an ended child.
    void child_ended(pid_t pid);

    // Reads the messages of the keeper, and says what could not be said before.
    void hear();
    void say(std::string_view line) { channel_.say(line); }
    // Ready when hear() has something to do, or mind() has to start another one.
    [[nodiscard]] pollfd poll_entry() const {
        return pid_ != 0 ? channel_.poll_entry() : pollfd{-1, 0, 0};
    }
    [[nodiscard]] pid_t pid() const { return pid_; } // 0: it has ended
    // Where a command asks for leave (SpawnPlan::leave).
    [[nodiscard]] int leave() const { return leave_.get(); }

    // The state that the keeper has reported so far.
    [[nodiscard]] const cluster::TokenPlace& place() const { return place_; }
    [[nodiscard]] const std::string& key() const { return key_; }
    [[nodiscard]] bool has_token() const { return has_token_; }
    // The lease is over, or the keeper gave the token back by itself: it thought that we are gone.
    [[nodiscard]] bool is_gone() const { return is_gone_; }
    struct End {
        int status = 0;
        std::string reason;
    };
    [[nodiscard]] const std::optional<End>& end() const { return end_; }

    // Tells the keeper to give back the token, or the place in the queue, and waits for that until
    // DEADLINE. After DEADLINE the keeper goes on trying by itself until the lease is over.
    void give(Deadline deadline);

  private:
    void let_go();
    void hear_place(std::string_view text);
    void hear_inside(std::string_view text);
    void hear_renewed(std::string_view text);
    void hear_end(std::string_view text);

    const cluster::KeeperPlan& plan_;
    Child child_;
    pid_t pid_ = 0;
    int count_ = 0;
    std::string why_; // the last one has ended: ": REASON", or empty
    cluster::GuardChannel channel_;
    Fd leave_;
    cluster::TokenPlace place_;
    std::string key_; // of our entry
    bool has_token_ = false;
    bool is_asked_to_give_ = false;
    bool is_given_ = false;
    bool is_gone_ = false;
    std::optional<End> end_;
};

} // namespace ipcbox::front
