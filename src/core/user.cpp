#include "core/user.h"

#include "core/stdio_file.h"

#include <cerrno>
#include <cstdlib>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// The entries of a file, one after another. Each thread can have its own reader, unlike with
// fgetpwent(3) and fgetgrent(3), which have one buffer for all threads.
template <class Entry, auto read_entry> class Entries {
  public:
    explicit Entries(const char* path) : file_(open_for_reading(path)) {}

    // Null at the end of the file, or when there is no file.
    [[nodiscard]] const Entry* next() {
        constexpr std::size_t max_line = 16UL * 1024 * 1024;
        Entry* found = nullptr;
        while (file_ &&
               read_entry(file_.get(), &entry_, buffer_.data(), buffer_.size(), &found) == ERANGE) {
            if (buffer_.size() >= max_line) return nullptr;
            buffer_.resize(buffer_.size() * 4); // the next call reads the same line again
        }
        return found;
    }

  private:
    StdioFile file_;
    Entry entry_{};
    std::vector<char> buffer_ = std::vector<char>(4096);
};
using Users = Entries<passwd, ::fgetpwent_r>;
using Groups = Entries<group, ::fgetgrent_r>;

template <class Matches> std::optional<User> first_user(Matches matches) {
    Users users{"/etc/passwd"};
    while (const passwd* entry = users.next()) {
        if (!matches(*entry)) continue;
        const std::string_view comment = entry->pw_gecos != nullptr ? entry->pw_gecos : "";
        return User{entry->pw_name, entry->pw_uid,
                    entry->pw_gid,  std::string{comment.substr(0, comment.find(','))},
                    entry->pw_dir,  entry->pw_shell != nullptr ? entry->pw_shell : ""};
    }
    return std::nullopt;
}

} // namespace

std::optional<User> find_user(uid_t uid) {
    return first_user([uid](const passwd& entry) { return entry.pw_uid == uid; });
}

std::optional<User> find_user(std::string_view name) {
    return first_user([name](const passwd& entry) { return entry.pw_name == name; });
}

std::optional<gid_t> find_group(std::string_view name) {
    Groups all{"/etc/group"};
    while (const group* entry = all.next())
        if (entry->gr_name == name) return entry->gr_gid;
    return std::nullopt;
}

std::vector<gid_t> groups_of(std::string_view user) {
    std::vector<gid_t> groups;
    Groups all{"/etc/group"};
    while (const group* entry = all.next())
        for (char** member = entry->gr_mem; *member != nullptr; ++member)
            if (*member == user) groups.push_back(entry->gr_gid);
    return groups;
}

std::string user_name(uid_t uid) {
    const auto user = find_user(uid);
    return user ? user->name : fmt::format("{}", uid);
}

User current_user() {
    const uid_t uid = ::getuid();
    auto user = find_user(uid).value_or(User{fmt::format("{}", uid), uid, ::getgid(), {}, "/", {}});
    if (const char* home = std::getenv("HOME")) user.home = home;
    return user;
}

} // namespace ipcbox
