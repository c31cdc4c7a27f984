// The command that an applet runs: `sem-take KEY -- COMMAND`, `tcp-client --wait-for TARGET --
// COMMAND`. All such applets have the statuses of env(1), timeout(1) and flock(1):
//
//     127, 126       there is no such program, or it cannot be executed; nothing has been done yet
//     125            we failed before the command could run
//     anything else  the command's own, or what the applet says of a refusal ("busy")
//
//     options.command(config.command);       // in parse(): stops at the command; refuses a bare
//     "--"
//
//     return front::run_command(config.command, [&](const front::Command& command) {
//         if (!take(config)) return config.busy_status;
//         command.become();
//     });
//
// An applet that stays beside its command starts it by spawn(command.program(), command.words(),
// …).
#pragma once

#include <functional>
#include <span>
#include <string>

namespace ipcbox::front {

// A command whose program was found. It refers to the words that it was made from.
class Command {
  public:
    // WORDS are the command and its arguments, at least one. Throws Error with status 127 or 126,
    // as find_program() does.
    explicit Command(std::span<const std::string> words);

    // The program's path.
    [[nodiscard]] const std::string& program() const { return program_; }
    // The command as the user wrote it: its name, then its arguments.
    [[nodiscard]] std::span<const std::string> words() const { return words_; }

    // Turns our process into the command, which keeps our pid, our open files and everything else
    // that the kernel keeps for a process. So its status is ours. Throws Error with status 126 or
    // 127.
    [[noreturn]] void become() const;

  private:
    std::span<const std::string> words_;
    std::string program_;
};

// Finds the program that WORDS name, then does WORK, which returns the applet's exit status. So a
// missing command has no effects: no lock is taken, and we wait for nobody. An Error that would end
// the applet with status 1 leaves here with 125; 124, 126 and 127 stay as they are. After
// StoppedBySignal we die of its signal.
[[nodiscard]] int run_command(std::span<const std::string> words,
                              const std::function<int(const Command&)>& work);

} // namespace ipcbox::front
