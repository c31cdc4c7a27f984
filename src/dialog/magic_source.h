// An argument that can be more than a file for Perl's <ARGV>: `date|` is a command whose output is
// read, and `-` is standard input. perlipc, "Using open() for IPC".
//
// With Perl's magic, the name of a file can do harm: `>file` empties a file, and a glob can match a
// file that is called `rm -rf x|`. Here only the trailing | and the lone - are magic, and if a file
// has the same name, no command is run unless the user asks for it.
#pragma once

#include "core/child.h"
#include "core/fd.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::dialog {

// How arguments are interpreted.
struct MagicRules {
    bool is_literal = false;      // every argument is a file's name
    bool prefers_command = false; // `date|` is a command although there is a file of that name
    bool uses_shell = false;      // a command is run by /bin/sh -c
};

// A source that is being read.
class MagicSource {
  public:
    // Opens the file or starts the command, whose standard input is ours, and which the kernel ends
    // with us. A name that begins with a slash, or with dots and a slash (`/x|`, `./x|`), means the
    // file if there is one. Throws Error when that fails, when the command cannot be split into
    // words, and when both a command and a file could be meant.
    MagicSource(const std::string& argument, const MagicRules& rules);

    [[nodiscard]] int fd() const;
    // The argument, or "standard input".
    [[nodiscard]] const std::string& name() const { return name_; }
    // Whether it is also the file OUTPUT, and would be copied into itself forever. As cat(1) has
    // it, a file of which nothing is left to read is harmless.
    [[nodiscard]] bool feeds_on(int output) const;
    // To be called after the end of its output: how its command ended; nothing for a file.
    [[nodiscard]] std::optional<WaitStatus> finish();

  private:
    void start(std::string text, const MagicRules& rules);

    std::string name_;
    Fd input_; // none for standard input
    Child child_;
};

// Whether a file may have the name PATH: also when that cannot be found out, because a command is
// run only when it is meant.
[[nodiscard]] bool may_be_file(const std::string& path);

// Whether ARGUMENT would be a command under RULES, so that it is worth starting early.
[[nodiscard]] bool may_be_command(const std::string& argument, const MagicRules& rules);

} // namespace ipcbox::dialog
