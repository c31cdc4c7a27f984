#include "front/server/command_menu.h"

#include "core/ascii.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

CommandMenu::CommandMenu(const CommandPlan& plan) : plan_(plan), language_(plan.language()) {}

const std::vector<CommandMenu::Builtin>& CommandMenu::builtins() {
    static const std::vector<Builtin> all{
        {"quit", "End the session", {"quit", "exit"}},
        {"date", "Tell the date and the time", {"date", "time"}},
        {"who", "List the users who are logged in", {"who"}},
        {"cookie", "Tell a saying", {"cookie"}},
        {"motd", "Show the message of the day", {"motd"}},
        {"help", "List the commands", {"help"}},
    };
    return all;
}

bool CommandMenu::offers(const Builtin& builtin) const {
    const bool stays = builtin.name == "quit" || builtin.name == "help";
    return (stays || !plan_.without_builtins) && language_.find(builtin.name) == nullptr;
}

bool CommandMenu::has(std::string_view name) const {
    return language_.find(name) != nullptr ||
           std::ranges::any_of(builtins(), [&](const Builtin& builtin) {
               return builtin.name == name && offers(builtin);
           });
}

std::string_view CommandMenu::meant_by(std::string_view line) const {
    const auto lower = ascii::lower(line);
    for (const auto& builtin : builtins())
        for (const auto word : builtin.loose)
            if (offers(builtin) && lower.find(word) != std::string::npos) return builtin.name;
    for (const auto& command : language_.commands())
        if (lower.find(ascii::lower(command.name)) != std::string::npos) return command.name;
    return {};
}

std::string CommandMenu::names() const {
    std::string names;
    for (const auto& builtin : builtins())
        if (offers(builtin)) names += fmt::format("{} ", builtin.name);
    for (const auto& command : language_.commands())
        names += command.name + " ";
    names.pop_back();
    return names;
}

std::string CommandMenu::help() const {
    std::string text;
    const auto add = [&text](std::string_view usage, std::string_view what) {
        text += what.empty() ? fmt::format("{}\n", usage) : fmt::format("{:<20} {}\n", usage, what);
    };
    for (const auto& builtin : builtins())
        if (offers(builtin)) add(builtin.name, builtin.help);
    for (const auto& command : language_.commands())
        add(command.usage(), command.help);
    return text;
}

} // namespace ipcbox::front
