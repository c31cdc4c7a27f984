// The commands that a client of command-server can run: the built-in ones and those of the
// operator. A command of the operator hides a built-in one of the same name.
#pragma once

#include "front/server/command_plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

class CommandMenu {
  public:
    // PLAN must outlive the menu. Throws server::LanguageError.
    explicit CommandMenu(const CommandPlan& plan);

    [[nodiscard]] const commands::Language& language() const { return language_; }
    // Whether NAME is a command of either kind.
    [[nodiscard]] bool has(std::string_view name) const;
    // With --loose, LINE means the first command whose name is in it, as in perlipc. Returns the
    // name of that command; empty when there is none.
    [[nodiscard]] std::string_view meant_by(std::string_view line) const;

    // All names in one line, with spaces between them.
    [[nodiscard]] std::string names() const;
    // A line for each command.
    [[nodiscard]] std::string help() const;

  private:
    struct Builtin {
        std::string_view name;
        std::string_view help;
        std::vector<std::string_view> loose; // words that mean it with --loose
    };
    static const std::vector<Builtin>& builtins();
    [[nodiscard]] bool offers(const Builtin& builtin) const;

    const CommandPlan& plan_;
    commands::Language language_;
};

} // namespace ipcbox::front
