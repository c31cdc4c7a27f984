// The declarations of an applet's command line: Options fills them, command_line.h reads the words
// of a line by them, and help.h prints them. All texts have to live as long as the declarations.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cli {

struct OptionName {
    std::string letter; // "n", or empty
    std::string word;   // "nonblock", or empty
    std::string value;  // "DURATION", empty for a flag
    std::string text;
};

// Splits "-w,--wait DURATION" into its parts.
[[nodiscard]] OptionName split_names(std::string_view names, std::string_view text);

// An option of the tool that users come from, which an applet does not have.
struct RefusedOption {
    std::string_view names;  // "-P,--ftp-port": a letter, a word or both
    std::string_view reason; // "FTP is not supported"
};

// Takes the text of a value, and throws std::invalid_argument when it is invalid.
using Setter = std::function<void(std::string_view text)>;
// A word of a file, and its place there: "FILE:LINE".
struct PlacedWord {
    std::string text;
    std::string place;
};

// Reads the words that take an option's place on the command line. Throws std::invalid_argument,
// with the place of the mistake.
using WordReader = std::function<std::vector<PlacedWord>(std::string_view value)>;

// Returns a word of the command line as it is to be read.
using Spelling = std::function<std::string(std::string_view word)>;

// An option or an operand.
struct Declaration {
    enum class Kind { flag, value, operand } kind;
    OptionName name;
    Setter set; // of a flag: the text is empty, or "no" when the flag is turned off
    bool required = false;
    bool repeated = false;
    std::string_view section{}; // of the help; empty for an operand and for a plain option
    WordReader include{};       // of an option whose value is replaced by other words
    bool given = false;         // on this command line

    [[nodiscard]] bool takes_value() const { return kind == Kind::value; }
    // As a user would write it: "--wait", "-n" or "KEY".
    [[nodiscard]] std::string shown_name() const;
};

struct Example {
    std::string_view command;
    std::string_view text;
};

struct Declarations {
    std::string_view program;
    std::string_view summary;
    std::string_view usage;
    std::vector<Declaration> all;
    std::vector<std::string_view> sections; // the titles, in the order of the help
    std::string_view section;               // the one that options are being declared for
    std::vector<std::string_view> notes;
    std::vector<Example> examples;
    std::span<const RefusedOption> refused;
    bool negatable = false;                      // --no-WORD turns a flag off
    Spelling respell{};                          // may be empty
    std::vector<std::string>* command = nullptr; // where a command goes; null: there is none

    // The option of this name, "-w" or "--wait"; null when there is none.
    [[nodiscard]] const Declaration* find(std::string_view name) const;

    // The option in WORD, "--wait" or "-abw", that takes a value; null when there is none.
    [[nodiscard]] const Declaration* option_with_value(std::string_view word) const;
    // Whether WORD is an option, or ends with one ("-abw"), whose value is the next word.
    [[nodiscard]] bool wants_next_word(std::string_view word) const;
    // The position of the letter in "-abwVALUE" whose option takes a value; the size of WORD when
    // there is none.
    [[nodiscard]] std::size_t value_letter(std::string_view word) const;
    // How many options WORD has.
    [[nodiscard]] std::size_t count_options(std::string_view word) const;
    // Whether WORD is a number such as "-1", and not an option. It is then an operand, and its
    // parser can report what is wrong.
    [[nodiscard]] bool is_negative_number(std::string_view word) const;
};

} // namespace ipcbox::cli
