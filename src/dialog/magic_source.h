// An argument in which Perl's <ARGV> sees more than a file: `date|` is a command whose output is
// read, and `-` is standard input. perlipc, "Using open() for IPC".
//
// Perl's magic lets a file's name do harm: `>file` empties a file, and a glob may bring a file that
// is called `rm -rf x|`. Here only the trailing | and the lone - are magic, and a name that is also
// a file's is never run unless the user says so.
#pragma once

#include "core/child.h"
#include "core/fd.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::dialog {

// How arguments are understood.
struct MagicRules {
    bool is_literal = false;      // every argument is a file's name
    bool prefers_command = false; // `date|` is a command although there is a file of that name
    bool uses_shell = false;      // a command is run by /bin/sh -c
};

// A source that is being read.
class MagicSource {
  public:
    // Opens the file or starts the command; its standard input is ours, and it ends with us. A
    // name with a slash at its front or after a dot there (`/x|`, `./x|`) means the file if there
    // is one. Throws Error when it cannot, when the command cannot be split into words, and when
    // both a command and a file could be meant.
    MagicSource(const std::string& argument, const MagicRules& rules);

    [[nodiscard]] int fd() const;
    // The argument, or "standard input".
    [[nodiscard]] const std::string& name() const { return name_; }
    // After the end of its output: how its command ended; nothing for a file.
    [[nodiscard]] std::optional<WaitStatus> finish();

  private:
    void start(std::string text, const MagicRules& rules);

    std::string name_;
    Fd input_; // none for standard input
    Child child_;
};

// Whether ARGUMENT would be a command under RULES, which is worth to be started early.
[[nodiscard]] bool may_be_command(const std::string& argument, const MagicRules& rules);

} // namespace ipcbox::dialog
