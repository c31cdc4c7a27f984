// System V objects with everything that can be found out about them: their names, how much of them
// is taken, which processes use them, and whether they can be removed.
#pragma once

#include "sysv/entry.h"
#include "sysv/known_names.h"
#include "sysv/witnesses.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace ipcbox::sysv {

class SemaphoreSet;

class Survey {
  public:
    // NAMES are the names that the user gave.
    explicit Survey(KnownNames names = {});

    // One entry for each of OBJECTS that is still there. Throws SysError.
    [[nodiscard]] std::vector<Entry> look_at(const std::vector<Object>& objects);

    // The waiters of the last look, if there were any.
    [[nodiscard]] const Sight<Waiter>& waiters() const { return waiters_; }

  private:
    [[nodiscard]] bool inspect(Entry& entry);
    void inspect_set(Entry& entry);
    void inspect_tokens(Entry& entry, const SemaphoreSet& set,
                        const std::vector<unsigned short>& values);
    void inspect_strange_set(Entry& entry, const SemaphoreSet& set,
                             const std::vector<unsigned short>& values);
    // A name that may have this key; null when none is known.
    [[nodiscard]] const Key* known_name(key_t key);
    void name_segment(Entry& entry);
    void add_users(std::vector<Entry>& entries);
    [[nodiscard]] Presence presence(pid_t pid, std::time_t when);
    // The presence of PIDS together, of which at least one has to be known.
    [[nodiscard]] Presence presence_of_any(const std::vector<pid_t>& pids, std::time_t when);
    [[nodiscard]] User user(User::Does does, pid_t pid) const;

    KnownNames names_;
    bool knows_processes_ = false;
    bool has_own_proc_ = false;
    std::map<std::pair<pid_t, std::time_t>, Presence> presences_;
    Sight<Waiter> waiters_;
    Sight<Attacher> attachers_;
    std::vector<std::uint64_t> attached_before_; // what the list of attachers was made for
};

} // namespace ipcbox::sysv
