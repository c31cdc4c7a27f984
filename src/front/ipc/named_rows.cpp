#include "front/ipc/named_rows.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/counted.h"

#include <array>
#include <fmt/format.h>

namespace ipcbox::front {

namespace {

using sysv::NamedObject;
using Does = sysv::NamedUser::Does;
using Kind = NamedObject::Kind;

std::string text_of(const sysv::NamedUser& user) {
    return user.process ? user.process->text() : fmt::format("{}", user.pid);
}

} // namespace

std::string state_text(const NamedObject& object) {
    switch (object.kind) {
    case Kind::semaphore:
        if (!object.value) return "unknown";
        return fmt::format("value {}{}", *object.value,
                           object.waiting > 0 ? fmt::format(", {} waiting", object.waiting) : "");
    case Kind::memory:
        return size_text(object.size);
    case Kind::queue:
        return counted(object.size, "byte");
    case Kind::fifo:
        break;
    }
    std::size_t readers = 0;
    std::size_t writers = 0;
    for (const auto& user : object.users)
        ++(user.does == Does::reads ? readers : writers);
    return fmt::format("{} reading, {} writing", readers, writers);
}

std::string users_text(const NamedObject& object) {
    constexpr std::array words{
        std::pair{Does::maps, "mapped by "}, std::pair{Does::opens, "open in "},
        std::pair{Does::reads, "read by "}, std::pair{Does::writes, "written by "}};
    std::string text;
    for (const auto& word : words) {
        bool is_first = true;
        for (const auto& user : object.users) {
            if (user.does != word.first) continue;
            text += is_first ? (text.empty() ? "" : "; ") + std::string{word.second} : ", ";
            text += text_of(user);
            is_first = false;
        }
    }
    if (object.may_have_more) return text.empty() ? "unknown" : text + "; others unknown";
    return text.empty() ? "nobody" : text;
}

std::vector<std::string> table_of(const std::vector<NamedObject>& objects, UserNames& users) {
    if (objects.empty()) return {};
    const std::time_t now = std::time(nullptr);
    std::size_t width = 4;
    for (const auto& object : objects)
        width = std::max(width, cli::visible_line(object.name).size());
    const auto line = [&](auto kind, auto name, auto owner, auto mode, auto state, auto changed,
                          auto used) {
        return fmt::format("{:<9}  {:<{}}  {:<8}  {:<4}  {:<20}  {:<10}  {}", kind, name, width,
                           owner, mode, state, changed, used);
    };
    std::vector<std::string> lines{
        line("KIND", "NAME", "OWNER", "MODE", "STATE", "CHANGED", "USED BY")};
    for (const auto& object : objects)
        lines.push_back(line(name_of(object.kind), cli::visible_line(object.name),
                             users.of(object.owner), fmt::format("{:03o}", object.mode),
                             state_text(object), age_text(object.changed, now),
                             users_text(object)));
    return lines;
}

std::string json_of(const NamedObject& object, UserNames& users) {
    cli::JsonLine line;
    line.set("kind", object.kind == Kind::fifo ? std::string{"fifo"}
                                               : fmt::format("posix-{}", name_of(object.kind)));
    line.set("name", object.name).set("owner", users.of(object.owner)).set("uid", object.owner);
    line.set("mode", fmt::format("{:03o}", object.mode)).set("size", object.size);
    if (object.kind == Kind::semaphore && object.value)
        line.set("value", *object.value).set("waiting", object.waiting);
    line.set("users", std::vector<std::string>{});
    for (const auto& user : object.users) {
        cli::JsonLine one;
        one.set("pid", user.pid).set("does", name_of(user.does));
        if (user.process)
            one.set("command", user.process->name).set("user", users.of(user.process->user));
        line.add_object("users", one);
    }
    line.set_flag("may_have_more", object.may_have_more).set("changed", object.changed);
    return line.text();
}

} // namespace ipcbox::front
