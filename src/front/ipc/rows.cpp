#include "front/ipc/rows.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/counted.h"
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

// "held by 812 (make, root, 3m12s), 815 (make, root, 2s)". Empty when no process does that.
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

// Adds the members that only this kind of object has.
void add_members(std::string& text, const Entry& entry) {
    const auto& object = entry.object;
    const auto add = [&text](std::string_view name, auto value) {
        const fmt::format_int digits{value};
        text.append(name).append(digits.data(), digits.size());
    };
    switch (object.kind) {
    case Kind::semaphores:
        add(R"("semaphores":)", object.size);
        if (!entry.is_readable) {
            text += R"(,"waiting":null)";
            return;
        }
        if (entry.slots) {
            add(R"(,"slots":)", *entry.slots);
            add(R"(,"taken":)", entry.taken);
        }
        add(R"(,"waiting":)", entry.waiting);
        return;
    case Kind::memory:
        add(R"("size":)", object.size);
        add(R"(,"attached":)", object.count);
        text.append(R"(,"removed":)").append(object.is_doomed ? "true" : "false");
        return;
    case Kind::messages:
        add(R"("messages":)", object.count);
        add(R"(,"bytes":)", object.size);
        add(R"(,"room":)", object.room);
        add(R"(,"waiting":)", entry.waiting);
        text.append(R"(,"may_have_more":)").append(entry.may_have_more ? "true" : "false");
        return;
    }
}

// Three digits, such as "640".
std::string mode_text(mode_t mode) {
    constexpr unsigned bits = 7;
    const auto digit = [mode](unsigned shift) {
        return static_cast<char>('0' + ((mode >> shift) & bits));
    };
    return {digit(6), digit(3), digit(0)};
}

// Ages in words. Remembers the last one, because consecutive rows often have the same age.
class Ages {
  public:
    const std::string& of(std::time_t when) {
        if (when != when_ || text_.empty()) text_ = age_text(when, now_);
        when_ = when;
        return text_;
    }

  private:
    std::time_t now_ = std::time(nullptr);
    std::time_t when_ = 0;
    std::string text_;
};

std::string user_object(const sysv::User& user, UserNames& names) {
    auto text = fmt::format(R"({{"pid":{},"does":"{}")", user.pid, sysv::name_of(user.does));
    if (user.process)
        text += fmt::format(R"(,"command":{},"user":{},"since":{})",
                            cli::json_string(user.process->name),
                            cli::json_string(names.of(user.process->user)),
                            seconds_since_epoch(user.process->started));
    return text + "}";
}

// Anybody can choose the name of an object.
std::string key_text(const Entry& entry) {
    return cli::visible_line(entry.key_text());
}

} // namespace

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
                      : fmt::format("{} ({})", entry.object.handle(), key_text(entry));
}

std::string state_text(const Entry& entry) {
    const auto& object = entry.object;
    switch (object.kind) {
    case Kind::semaphores:
        if (!entry.is_readable) return counted(object.size, "semaphore") + ", unknown";
        if (object.size == 1 && entry.slots)
            return fmt::format("value {}: {}", entry.value, entry.taken > 0 ? "taken" : "free");
        if (object.size == 1) return "value " + std::to_string(entry.value);
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

const UserNames::Name& UserNames::look_up(uid_t uid) {
    const auto [place, is_new] = names_.try_emplace(uid);
    if (is_new) {
        place->second.name = user_name(uid);
        place->second.quoted = cli::json_string(place->second.name);
    }
    return place->second;
}

// Keep all cells in one text, because there can be 30 000 rows.
std::string table_of(const std::vector<Entry>& entries, UserNames& users) {
    if (entries.empty()) return {};
    constexpr std::size_t columns = 7;
    using Lengths = std::array<std::size_t, columns>;
    std::string cells;
    std::vector<Lengths> rows;
    rows.reserve(entries.size() + 1);
    Lengths widths{};
    const auto add_row = [&](const std::array<std::string_view, columns>& row) {
        auto& lengths = rows.emplace_back();
        for (std::size_t at = 0; at < columns; ++at) {
            cells += row[at];
            lengths[at] = row[at].size();
            widths[at] = std::max(widths[at], row[at].size());
        }
    };
    add_row({"ID", "KEY", "OWNER", "MODE", "STATE", "CHANGED", "USED BY"});
    Ages ages;
    for (const auto& entry : entries)
        add_row({entry.object.handle(), key_text(entry), users.of(entry.object.owner),
                 mode_text(entry.object.mode), state_text(entry),
                 ages.of(entry.object.last_change()), users_text(entry)});
    std::string table;
    table.reserve(rows.size() * 100);
    std::string_view left{cells};
    for (const auto& lengths : rows) {
        for (std::size_t at = 0; at < columns; ++at) {
            table += left.substr(0, lengths[at]);
            left.remove_prefix(lengths[at]);
            if (at + 1 < columns) table.append(widths[at] - lengths[at] + 2, ' ');
        }
        table += '\n';
    }
    return table;
}

// Built by hand. There can be 30 000 objects, and a tree of values for each, or one long format
// string, would take most of the time.
std::string json_of(const Entry& entry, UserNames& users) {
    const auto& object = entry.object;
    constexpr std::size_t usual_length = 400;
    std::string text;
    text.reserve(usual_length);
    text += R"({"v":1,"kind":")";
    const auto add = [&text](std::string_view name, auto value) {
        const fmt::format_int digits{value};
        text.append(name).append(digits.data(), digits.size());
    };
    text += sysv::short_name_of(object.kind);
    add(R"(","id":)", object.id);
    add(R"(,"key":)", static_cast<std::uint32_t>(object.key));
    text.append(R"(,"name":)").append(entry.name.empty() ? "null" : cli::json_string(entry.name));
    text.append(R"(,"owner":)").append(users.quoted(object.owner));
    add(R"(,"uid":)", object.owner);
    text.append(R"(,"mode":")").append(mode_text(object.mode)).append(R"(",)");
    add_members(text, entry);
    text.append(R"(,"use":")").append(name_of(entry.use)).append(R"(","users":[)");
    for (const auto& user : entry.users)
        text.append(&user == entry.users.data() ? "" : ",").append(user_object(user, users));
    add(R"(],"unknown_users":)", entry.unknown_users);
    text.append(R"(,"creator":")").append(name_of(entry.creator)).append(R"(")");
    if (entry.creator_pid != 0)
        add(R"(,"creator_pid":)", entry.creator_pid);
    else
        text += R"(,"creator_pid":null)";
    add(R"(,"changed":)", object.last_change());
    return text.append("}\n");
}

} // namespace ipcbox::front
