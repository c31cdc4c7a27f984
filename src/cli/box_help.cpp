#include "cli/box_help.h"

#include "cli/output.h"
#include "cli/style.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/program.h"
#include "core/spawn.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ipcbox::cli {

namespace {

using Table = std::span<const AppletRow>;

// The title of a group of applets.
std::string_view title_of(std::string_view group) {
    constexpr std::pair<std::string_view, std::string_view> titles[] = {
        {"pipes", "Pipes and FIFOs"},
        {"process", "Processes"},
        {"pty", "Programs on a terminal"},
        {"signals", "Signals"},
        {"sysv", "Semaphores and shared memory"},
        {"tcp", "TCP and HTTP"},
        {"time", "Clocks of other machines"},
        {"unix", "Unix-domain sockets"},
    };
    const auto* found =
        std::ranges::find(titles, group, [](const auto& pair) { return pair.first; });
    return found != std::end(titles) ? found->second : group;
}

// All rows, one group after the other, sorted within each.
std::vector<AppletRow> by_group(Table applets) {
    std::vector<AppletRow> rows{applets.begin(), applets.end()};
    std::ranges::stable_sort(rows, {}, &AppletRow::group);
    return rows;
}

// Whether man(1) finds a page: "man -w" prints its path. (A stub that tells how to install the real
// one prints something else.)
bool has_manual_page(const std::string& man, const std::string& page) {
    constexpr std::size_t limit = 4096;
    const Fd nowhere = open_file("/dev/null", O_RDWR);
    Pipe answer = make_pipe();
    const std::array<std::string, 4> words{"man", "-w", "1", page};
    Child child =
        spawn(man, words,
              {.input = nowhere.get(), .output = answer.writer.get(), .error = nowhere.get()});
    answer.writer = Fd{};
    const auto path = read_to_end(answer.reader.get(), limit, "what man -w prints");
    return child.wait().as_exit_status() == 0 && path.starts_with('/');
}

} // namespace

void print_box_help(Table applets) {
    const auto style = Style::for_output(STDOUT_FILENO);
    print("Usage: ipcbox APPLET [ARGUMENT...]\n"
          "       APPLET [ARGUMENT...]      through a link of that name\n"
          "       ipcbox help APPLET        its manual page, or its help\n"
          "Unix interprocess communication for the shell\n");
    std::string_view group;
    for (const auto& row : by_group(applets)) {
        if (row.group != group)
            print_line("\n{}", style.title(fmt::format("{}:", title_of(row.group))));
        group = row.group;
        print_line("  {}  {}", style.name(fmt::format("{:<18}", row.name)), row.applet->summary);
    }
    print_line("\n{}", style.title("Options:"));
    print("  --list                   print the applets' names\n"
          "  --list=full              print their names, groups and summaries\n"
          "  --install DIRECTORY [--force]\n"
          "                           make a symbolic link to ipcbox for each applet;\n"
          "                           --force replaces files that are in the way\n"
          "  --completion bash|zsh|fish\n"
          "                           print a completion script for that shell\n"
          "  -h, --help               print this help\n"
          "  -V, --version            print the version\n");
    print_line("\n{}", style.title("Examples:"));
    print("  ipcbox sem-take -j 4 @build -- make\n"
          "  ipcbox --install ~/bin\n"
          "\n"
          "ipcbox APPLET --help explains an applet.\n");
}

std::string groups_of(Table applets) {
    const auto style = Style::for_output(STDERR_FILENO);
    std::string text;
    std::string_view group;
    for (const auto& row : by_group(applets)) {
        if (row.group != group) {
            if (!group.empty()) text += '\n';
            text += style.title(fmt::format("{}:", title_of(row.group))) + "\n ";
        }
        group = row.group;
        text += ' ' + style.name(row.name);
    }
    return text +
           "\n\nipcbox help APPLET explains an applet; ipcbox --help says what each one does.\n";
}

void open_manual_page(std::string_view applet) {
    if (!is_terminal(STDOUT_FILENO)) return;
    const auto page = fmt::format("ipcbox-{}", applet);
    const std::array<std::string, 3> words{"man", "1", page};
    try {
        const auto man = find_program("man");
        if (has_manual_page(man, page)) execute(man, words);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): the help is here in any case
    }
}

} // namespace ipcbox::cli
