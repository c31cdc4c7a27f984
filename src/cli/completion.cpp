#include "cli/completion.h"

#include "cli/completion_words.h"

#include <fmt/core.h>

namespace ipcbox::cli {

void print_completion(std::span<const AppletRow> applets, std::string_view shell) {
    if (shell == "bash") return print_bash_completion(applets);
    if (shell == "zsh") return print_zsh_completion(applets);
    if (shell == "fish") return print_fish_completion(applets);
    throw UsageError(fmt::format("--completion '{}': expected bash, zsh or fish", shell));
}

} // namespace ipcbox::cli
