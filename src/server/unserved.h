// Connections that were accepted, but for which there is no process yet: fork(2) was refused. Each
// waits here until a process can be started, with pauses that grow. Any thread may add one; the
// rest is for the thread that starts them.
#pragma once

#include "core/deadline.h"
#include "server/connection.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

class Unserved {
  public:
    // The pauses before an attempt: the first one, and the longest.
    static constexpr Duration first_pause = std::chrono::milliseconds{10};
    static constexpr Duration max_pause = std::chrono::seconds{1};

    void add(OpenConnection connection);
    // Takes back what take_all() gave; the next attempt is due at once.
    void put_back(std::vector<OpenConnection> connections);
    [[nodiscard]] std::vector<OpenConnection> take_all();
    [[nodiscard]] bool empty() const;

    // When the next attempt is due.
    [[nodiscard]] Deadline next_attempt() const;

    // Calls START for each of them in turn, if an attempt is due. When START throws SysError, the
    // connection and those after it keep waiting: the result says why and how long.
    struct Shortage {
        std::string what;
        Duration pause;
    };
    [[nodiscard]] std::optional<Shortage>
    attempt(const std::function<void(OpenConnection&)>& start);

  private:
    mutable std::mutex mutex_;
    std::vector<OpenConnection> connections_;
    Duration pause_{};
    Deadline next_attempt_ = Deadline::never();
};

} // namespace ipcbox::server
