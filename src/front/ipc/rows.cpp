#include "front/ipc/rows.h"

#include "cli/json.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ipcbox::front {

namespace {

using sysv::Entry;
using sysv::Kind;
using sysv::Presence;
using Does = sysv::User::Does;

std::string counted(std::uint64_t count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

// "held by 812 (make, root, 3m12s), 815 (make, root, 2s)", empty when nobody does that.
std::string those_that(const Entry& entry, Does does, std::string_view words) {
    std::string text;
    for (const auto& user : entry.users)
        if (user.does == does) text.append(text.empty() ? words : ", ").append(user.text);
    return text;
}

std::string_view name_of(Presence presence) {
    return presence == Presence::alive ? "alive" : presence == Presence::gone ? "gone" : "unknown";
}

std::string_view name_of(sysv::Use use) {
    return use == sysv::Use::free ? "free" : use == sysv::Use::used ? "used" : "unknown";
}

std::int64_t seconds_since_epoch(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string number_or_null(pid_t pid) {
    return pid == 0 ? "null" : fmt::format("{}", pid);
}

// What only objects of its kind have.
std::string members_of(const Entry& entry) {
    const auto& object = entry.object;
    switch (object.kind) {
    case Kind::semaphores:
        if (!entry.is_readable)
            return fmt::format(R"("semaphores":{},"waiting":null)", object.size);
        if (!entry.slots)
            return fmt::format(R"("semaphores":{},"waiting":{})", object.size, entry.waiting);
        return fmt::format(R"("semaphores":{},"slots":{},"taken":{},"waiting":{})", object.size,
                           *entry.slots, entry.taken, entry.waiting);
    case Kind::memory:
        return fmt::format(R"("size":{},"attached":{},"removed":{})", object.size, object.count,
                           object.is_doomed);
    case Kind::messages:
        break;
    }
    return fmt::format(R"("messages":{},"bytes":{},"room":{},"waiting":{},"may_have_more":{})",
                       object.count, object.size, object.room, entry.waiting, entry.may_have_more);
}

std::string user_object(const sysv::User& user, UserNames& names) {
    auto text = fmt::format(R"({{"pid":{},"does":"{}")", user.pid, sysv::name_of(user.does));
    if (user.process)
        text += fmt::format(R"(,"command":{},"user":{},"since":{})",
                            cli::json_string(user.process->name),
                            cli::json_string(names.of(user.process->user)),
                            seconds_since_epoch(user.process->started));
    return text + "}";
}

} // namespace

std::vector<Kind> IpcKinds::chosen() const {
    std::vector<Kind> kinds;
    const bool all = !any();
    if (all || semaphores) kinds.push_back(Kind::semaphores);
    if (all || memory) kinds.push_back(Kind::memory);
    if (all || messages) kinds.push_back(Kind::messages);
    return kinds;
}

std::vector<sysv::Object> ipc_objects(const IpcKinds& kinds,
                                      const std::vector<sysv::ObjectName>& names) {
    std::vector<sysv::Object> objects;
    for (const auto kind : kinds.chosen()) {
        auto some = sysv::all_objects(kind);
        if (!names.empty())
            std::erase_if(some, [&](const sysv::Object& object) {
                return std::ranges::none_of(
                    names, [&](const auto& name) { return name.may_mean(object); });
            });
        objects.insert(objects.end(), some.begin(), some.end());
    }
    return objects;
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::uint64_t step = 1024;
    std::string_view units = "KMGT";
    std::string unit;
    while (bytes >= step && bytes % step == 0 && !units.empty()) {
        bytes /= step;
        unit = units.front();
        units.remove_prefix(1);
    }
    return fmt::format("{}{}", bytes, unit);
}

std::string age_text(std::time_t when, std::time_t now) {
    if (when == 0) return "never";
    return short_duration(std::chrono::seconds{now - when}) + " ago";
}

std::string object_text(const Entry& entry) {
    const bool is_private = entry.name.empty() && entry.object.key == 0;
    return is_private ? entry.object.handle()
                      : fmt::format("{} ({})", entry.object.handle(), entry.key_text());
}

std::string state_text(const Entry& entry) {
    const auto& object = entry.object;
    switch (object.kind) {
    case Kind::semaphores:
        if (!entry.is_readable) return counted(object.size, "semaphore") + ", unknown";
        if (object.size == 1 && entry.slots)
            return fmt::format("value {}: {}", entry.value, entry.taken > 0 ? "taken" : "free");
        if (object.size == 1) return fmt::format("value {}", entry.value);
        if (entry.slots) return fmt::format("{} of {} taken", entry.taken, *entry.slots);
        return counted(object.size, "semaphore");
    case Kind::memory:
        return fmt::format("{}, {} attached{}", size_text(entry.bytes), object.count,
                           object.is_doomed ? ", removed" : "");
    case Kind::messages:
        break;
    }
    return fmt::format("{}, {}", counted(object.count, "message"), counted(object.size, "byte"));
}

std::string users_text(const Entry& entry) {
    std::string text;
    const auto add = [&text](const std::string& part) {
        if (!part.empty()) text.append(text.empty() ? "" : "; ").append(part);
    };
    add(those_that(entry, Does::holds, "held by "));
    add(those_that(entry, Does::took, "taken by "));
    add(those_that(entry, Does::shares, "shared by "));
    add(those_that(entry, Does::attached, "attached by "));
    add(those_that(entry, Does::waits, "waited for by "));
    if (entry.unknown_users > 0) {
        const bool attached = entry.object.kind == Kind::memory;
        add(fmt::format("{} {} unknown", entry.unknown_users, attached ? "attached" : "waiting"));
    }
    if (entry.use == sysv::Use::unknown) add("unknown");
    if (text.empty() && entry.use == sysv::Use::used) add(entry.why);
    if (text.empty()) {
        text = "nobody";
        if (entry.creator != Presence::unknown)
            text.append(", creator ").append(name_of(entry.creator));
    }
    return text;
}

const std::string& UserNames::of(uid_t uid) {
    const auto [place, is_new] = names_.try_emplace(uid);
    if (is_new) place->second = user_name(uid);
    return place->second;
}

std::vector<std::string> table_of(const std::vector<Entry>& entries, UserNames& users) {
    if (entries.empty()) return {};
    constexpr std::size_t columns = 7;
    using Cells = std::array<std::string, columns>;
    const std::time_t now = std::time(nullptr);
    std::vector<Cells> rows{{"ID", "KEY", "OWNER", "MODE", "STATE", "CHANGED", "USED BY"}};
    rows.reserve(entries.size() + 1);
    for (const auto& entry : entries)
        rows.push_back({entry.object.handle(), entry.key_text(), users.of(entry.object.owner),
                        fmt::format("{:03o}", entry.object.mode), state_text(entry),
                        age_text(entry.object.last_change(), now), users_text(entry)});
    std::array<std::size_t, columns> widths{};
    for (const auto& row : rows)
        for (std::size_t at = 0; at + 1 < columns; ++at)
            widths[at] = std::max(widths[at], row[at].size());
    std::vector<std::string> lines;
    lines.reserve(rows.size());
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t at = 0; at + 1 < columns; ++at)
            line.append(row[at]).append(widths[at] - row[at].size() + 2, ' ');
        lines.push_back(line.append(row.back()));
    }
    return lines;
}

// By hand: there can be 30 000 of them, and a tree of values for each takes most of the time.
std::string json_of(const Entry& entry, UserNames& users) {
    const auto& object = entry.object;
    std::string list;
    for (const auto& user : entry.users)
        list.append(list.empty() ? "" : ",").append(user_object(user, users));
    return fmt::format(
        R"({{"v":1,"kind":"{}","id":{},"key":{},"name":{},"owner":{},"uid":{},"mode":"{:03o}",{},)"
        R"("use":"{}","users":[{}],"unknown_users":{},"creator":"{}","creator_pid":{},)"
        R"("changed":{}}})"
        "\n",
        sysv::short_name_of(object.kind), object.id, static_cast<std::uint32_t>(object.key),
        entry.name.empty() ? "null" : cli::json_string(entry.name),
        cli::json_string(users.of(object.owner)), object.owner, object.mode, members_of(entry),
        name_of(entry.use), list, entry.unknown_users, name_of(entry.creator),
        number_or_null(entry.creator_pid), object.last_change());
}

} // namespace ipcbox::front
