// What command-server's sessions have to know. It travels in a memory file (memfd_create(2)), so
// that no secret stands on a command line, and a file of commands that changes later changes
// nothing for a session that has begun.
#pragma once

#include "core/fd.h"
#include "server/command_language.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct CommandPlan {
    std::string server;                   // "command-server 4711", in front of each line of the log
    std::string file;                     // the name of the file of commands; empty: there is none
    std::string text;                     // and what is in it
    std::vector<std::string> definitions; // of --command
    std::string token;                    // empty: none is asked for
    std::optional<Duration> idle;
    std::size_t max_line = 0;
    bool loose = false;
    bool json = false;
    bool without_builtins = false;
    bool logs = true;

    // All commands. Throws server::LanguageError.
    [[nodiscard]] server::CommandLanguage language() const;

    // A new memory file with all this. Throws SysError.
    [[nodiscard]] Fd to_memory() const;
    // What is in such a file. Throws Error.
    [[nodiscard]] static CommandPlan from_memory(int file);
};

} // namespace ipcbox::front
