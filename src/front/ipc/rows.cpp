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

void add_users(cli::JsonLine& line, const Entry& entry, UserNames& names) {
    line.set("users", std::vector<std::string>{});
    for (const auto& user : entry.users) {
        cli::JsonLine object;
        object.set("pid", user.pid).set("does", sysv::name_of(user.does));
        if (user.process)
            object.set("command", user.process->name)
                .set("user", names.of(user.process->user))
                .set("since", seconds_since_epoch(user.process->started));
        line.add_object("users", object);
    }
    line.set("unknown_users", entry.unknown_users);
}

} // namespace

std::vector<Kind> IpcKinds::chosen() const {
    std::vector<Kind> kinds;
    const bool all = !semaphores && !memory && !messages;
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

std::string json_of(const Entry& entry, UserNames& users) {
    const auto& object = entry.object;
    cli::JsonLine line;
    line.set("kind", sysv::short_name_of(object.kind)).set("id", object.id);
    line.set("key", static_cast<std::uint32_t>(object.key));
    if (entry.name.empty())
        line.set_null("name");
    else
        line.set("name", entry.name);
    line.set("owner", users.of(object.owner)).set("uid", object.owner);
    line.set("mode", fmt::format("{:03o}", object.mode));
    switch (object.kind) {
    case Kind::semaphores:
        line.set("semaphores", object.size);
        if (entry.slots && entry.is_readable)
            line.set("slots", *entry.slots).set("taken", entry.taken);
        if (entry.is_readable)
            line.set("waiting", entry.waiting);
        else
            line.set_null("waiting");
        break;
    case Kind::memory:
        line.set("size", object.size).set("attached", object.count);
        line.set_flag("removed", object.is_doomed);
        break;
    case Kind::messages:
        line.set("messages", object.count).set("bytes", object.size).set("room", object.room);
        line.set("waiting", entry.waiting).set_flag("may_have_more", entry.may_have_more);
        break;
    }
    line.set("use", name_of(entry.use));
    add_users(line, entry, users);
    line.set("creator", name_of(entry.creator));
    if (entry.creator_pid != 0)
        line.set("creator_pid", entry.creator_pid);
    else
        line.set_null("creator_pid");
    line.set("changed", object.last_change());
    return line.text();
}

} // namespace ipcbox::front
