// The configuration of command-server's sessions. It is passed in a memory file (memfd_create(2)),
// so that no secret appears on a command line, and a later change to the file of commands does not
// affect a session that has begun.
#pragma once

#include "commands/language.h"
#include "core/fd.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct CommandPlan {
    std::string server;                   // "command-server 4711", in front of each line of the log
    std::string file;                     // the name of the file of commands; empty: there is none
    std::string text;                     // and its text
    std::vector<std::string> definitions; // of --command
    std::string token;                    // empty: none is asked for
    std::optional<Duration> idle;
    std::size_t max_line = 0;
    bool loose = false;
    bool json = false;
    bool without_builtins = false;
    bool logs = true;

    // All commands. Throws server::LanguageError.
    [[nodiscard]] commands::Language language() const;

    // A new memory file with the plan. Throws SysError.
    [[nodiscard]] Fd to_memory() const;
    // Reads the plan from such a file. Throws Error.
    [[nodiscard]] static CommandPlan from_memory(int file);
};

} // namespace ipcbox::front
