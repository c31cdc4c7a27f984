#include "cli/completion_words.h"

namespace ipcbox::cli {

namespace {

// Both names of an option: "-w --wait".
std::string typed(const OptionName& option) {
    std::string names = option.letter.empty() ? "" : "-" + option.letter;
    if (!option.word.empty()) names.append(names.empty() ? "--" : " --").append(option.word);
    return names;
}

// The options for which WANTED is true.
template <class Predicate> std::string joined(const Declared& declared, Predicate wanted) {
    std::string names;
    for (const auto& option : declared.options)
        if (wanted(option)) names.append(names.empty() ? "" : " ").append(typed(option));
    return names;
}

} // namespace

std::string applet_names(std::span<const AppletRow> applets) {
    std::string names;
    for (const auto& row : applets)
        names.append(names.empty() ? "" : " ").append(row.name);
    return names;
}

bool has_value(const OptionName& option) {
    return !option.value.empty();
}
bool has_path(const OptionName& option) {
    return option.value == "FILE" || option.value == "PATH" || option.value == "DIRECTORY";
}

std::string option_names(const Declared& declared) {
    return joined(declared, [](const OptionName&) { return true; });
}

std::string names_with_value(const Declared& declared) {
    return joined(declared, has_value);
}

int operand_count(const Declared& declared) {
    return declared.repeats_operand ? -1 : static_cast<int>(declared.operands.size());
}

std::string escaped(std::string_view text, std::string_view special) {
    std::string result;
    for (const char byte : text) {
        if (special.find(byte) != std::string_view::npos) result += '\\';
        result += byte;
    }
    return result;
}

} // namespace ipcbox::cli
