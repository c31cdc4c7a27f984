#include "front/ipc/changes.h"

#include "cli/json.h"

#include <fmt/core.h>

namespace ipcbox::front {

using sysv::Entry;

namespace {

// The parts of an entry whose change is worth a new line. Ages are left out.
std::string fingerprint(const Entry& entry) {
    auto text =
        fmt::format("{} {:o} {} {} {} {}", entry.key_text(), entry.object.mode, entry.object.owner,
                    state_text(entry), entry.waiting, entry.unknown_users);
    for (const auto& user : entry.users)
        text += fmt::format(" {}:{}", user.pid, sysv::name_of(user.does));
    return text;
}

} // namespace

std::vector<std::string> IpcChanges::since_last(const std::vector<Entry>& entries,
                                                UserNames& users) {
    std::vector<std::string> lines;
    std::map<std::pair<sysv::Kind, int>, std::string> now;
    for (const auto& entry : entries) {
        const std::pair place{entry.object.kind, entry.object.id};
        auto print = fingerprint(entry);
        const auto known = known_.find(place);
        if (known == known_.end() || known->second != print)
            lines.push_back(form_ == Form::json
                                ? json_of(entry, users)
                                : fmt::format("{} {}: {}; {}\n", known == known_.end() ? '+' : '~',
                                              object_text(entry), state_text(entry),
                                              users_text(entry)));
        now.emplace(place, std::move(print));
    }
    for (const auto& [place, print] : known_) {
        if (now.contains(place)) continue;
        const auto kind = sysv::short_name_of(place.first);
        lines.push_back(form_ == Form::json ? cli::JsonLine{}
                                                  .set("kind", kind)
                                                  .set("id", place.second)
                                                  .set_flag("gone", true)
                                                  .text()
                                            : fmt::format("- {}:{}\n", kind, place.second));
    }
    known_ = std::move(now);
    return lines;
}

} // namespace ipcbox::front
