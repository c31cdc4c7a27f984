// The file of commands that command-server offers: a name, "=", and the words to run; properties
// stand in indented lines below it.
//
//     # how full a disk is
//     disk = df -h {1:/\/[a-z]+/}
//         timeout 5s
//         max-output 64K
//         user nobody
//         concurrency 2
//         rate 5/1m
//         env LC_ALL=C
//         help How full a file system is
//
// The words are split by the quoting rules of a shell (core/shell_words.h), and no shell runs them.
// {N:TYPE} stands for the client's argument N (commands/argument_type.h), and {N} for the same one
// again. It can be a piece of a word and is never split; a backslash before the brace makes it
// plain text.
#pragma once

#include "commands/argument_type.h"
#include "commands/rates.h"
#include "core/deadline.h"
#include "core/error.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::commands {

// "FILE:3:14: …"
class LanguageError : public Error {
  public:
    LanguageError(std::string_view file, unsigned line, std::size_t column, std::string_view what);

    // Both from 1; columns are bytes.
    [[nodiscard]] unsigned line() const noexcept { return line_; }
    [[nodiscard]] std::size_t column() const noexcept { return column_; }

  private:
    unsigned line_;
    std::size_t column_;
};

// The client's arguments do not fit the command.
class ArgumentError : public Error {
  public:
    using Error::Error;
};

struct Command {
    // A piece of a word: TEXT, and then the argument with this index, if there is one.
    struct Piece {
        std::string text;
        std::optional<std::size_t> argument;
    };
    using Word = std::vector<Piece>;

    std::string name;
    unsigned line = 0;
    std::vector<Word> words; // the first is plain text: the program
    std::vector<ArgumentType> types;

    std::optional<Duration> timeout = std::chrono::seconds{30}; // none: no limit
    std::size_t max_output = 1024UL * 1024;
    std::string user;                     // empty: the server's own
    unsigned concurrency = 0;             // at a time, of all clients; 0: no limit
    std::optional<Rate> rate{};           // of all clients together
    std::vector<std::string> environment; // "NAME=VALUE"
    std::string help;

    // The words to execute. Throws ArgumentError.
    [[nodiscard]] std::vector<std::string> with(std::span<const std::string> arguments) const;
    // "disk /\/[a-z]+/", as the help shows it.
    [[nodiscard]] std::string usage() const;
};

class Language {
  public:
    static constexpr unsigned max_concurrency = 4096;
    static constexpr std::size_t max_commands = 1000;

    // FILE is for the messages. Throws LanguageError.
    [[nodiscard]] static Language parse(std::string_view text, std::string_view file);
    // Adds "NAME=WORDS", as the command line has it. Throws LanguageError, also for a second
    // command of this name.
    void add(std::string_view definition, std::string_view where);

    // Null when there is none.
    [[nodiscard]] const Command* find(std::string_view name) const;
    [[nodiscard]] const std::vector<Command>& commands() const { return commands_; }

  private:
    class Parser;

    std::vector<Command> commands_;
};

} // namespace ipcbox::commands
