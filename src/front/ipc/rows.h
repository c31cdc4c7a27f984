// System V objects as people and programs read them.
#pragma once

#include "sysv/entry.h"
#include "sysv/object_name.h"

#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace ipcbox::front {

// "2 of 4 taken", "4K, 2 attached", "3 messages, 120 bytes".
[[nodiscard]] std::string state_text(const sysv::Entry& entry);
// "held by 812 (make, root, 3m12s)", "nobody, creator gone", "unknown".
[[nodiscard]] std::string users_text(const sysv::Entry& entry);
// "4K", "1500".
[[nodiscard]] std::string size_text(std::uint64_t bytes);
// "3m ago", "never".
[[nodiscard]] std::string age_text(std::time_t when, std::time_t now);
// "sem:12 (@build)"
[[nodiscard]] std::string object_text(const sysv::Entry& entry);

// Names of users, each looked up once.
class UserNames {
  public:
    const std::string& of(uid_t uid) { return look_up(uid).name; }
    // As JSON has it.
    const std::string& quoted(uid_t uid) { return look_up(uid).quoted; }

  private:
    struct Name {
        std::string name;
        std::string quoted;
    };
    const Name& look_up(uid_t uid);

    std::map<uid_t, Name> names_;
};

// The table, with a line of titles; empty for no entries.
[[nodiscard]] std::string table_of(const std::vector<sysv::Entry>& entries, UserNames& users);
// One object for -J, with its line feed.
[[nodiscard]] std::string json_of(const sysv::Entry& entry, UserNames& users);

} // namespace ipcbox::front
