#include "cli/multicall.h"

#include "cli/border.h"
#include "cli/box_help.h"
#include "cli/completion.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/version_line.h"
#include "core/error.h"
#include "core/path.h"
#include "core/program.h"
#include "core/spelling.h"
#include "core/syscall.h"
#include "core/trace.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <vector>

namespace ipcbox::cli {

namespace {

constexpr std::string_view own_name = "ipcbox";

using Table = std::span<const AppletRow>;

const AppletRow* find_applet(Table applets, std::string_view name) {
    const auto row = std::ranges::lower_bound(applets, name, {}, &AppletRow::name);
    return row != applets.end() && row->name == name ? &*row : nullptr;
}

// The applet that the user probably meant by NAME, or null. A third of the letters may be wrong.
const AppletRow* nearest_applet(Table applets, std::string_view name) {
    const auto nearest = std::ranges::min_element(
        applets, {}, [name](const AppletRow& row) { return spelling_distance(row.name, name); });
    if (nearest == applets.end()) return nullptr;
    return is_misspelling(nearest->name, name) ? &*nearest : nullptr;
}

[[noreturn]] void throw_unknown(Table applets, std::string_view name) {
    const auto* nearest = nearest_applet(applets, name);
    const auto hint =
        nearest != nullptr ? fmt::format("; did you mean '{}'?", nearest->name) : std::string{};
    throw Error(fmt::format("unknown applet '{}'{} (see ipcbox --list)", name, hint),
                exit_status::not_found);
}

[[noreturn]] void throw_unexpected(std::string_view argument) {
    throw UsageError(fmt::format("unexpected argument '{}'", argument));
}

void print_list(Table applets, std::string_view form) {
    if (!form.empty() && form != "full")
        throw UsageError(fmt::format("--list '{}': expected nothing or full", form));
    for (const auto& row : applets)
        if (form.empty())
            print_line("{}", row.name);
        else
            print_line("{:<20}  {:<8}  {}", row.name, row.group, row.applet->summary);
}

// Shows the manual page of an applet, or its help.
int help(Table applets, std::span<char* const> arguments) {
    if (arguments.empty()) {
        print_box_help(applets);
        return exit_status::done;
    }
    const std::string_view name = arguments[0];
    const auto* row = find_applet(applets, name);
    if (row == nullptr) throw_unknown(applets, name);
    if (arguments.size() > 1) throw_unexpected(arguments[1]);
    open_manual_page(name);
    std::string option{"--help"};
    const std::array<char*, 1> words{option.data()};
    return run_applet(*row, words);
}

enum class Existing { keep, replace };

// Makes the link beside PATH and renames it to PATH, so that PATH exists at every moment of a
// replacement.
void install_link(const std::string& target, const std::string& path, Existing existing) {
    if (sys::call("symlink", ::symlink, target.c_str(), path.c_str()) == 0) return;
    const int error = errno;
    if (error == EEXIST && read_link(path) == target) return;
    if (error != EEXIST || existing == Existing::keep) throw SysError("create", path, error);
    const auto beside = fmt::format("{}.{}", path, ::getpid());
    if (sys::call("symlink", ::symlink, target.c_str(), beside.c_str()) < 0)
        throw SysError("create", beside);
    if (sys::call("rename", std::rename, beside.c_str(), path.c_str()) < 0) {
        const int reason = errno;
        sys::call("unlink", ::unlink, beside.c_str());
        throw SysError("replace", path, reason);
    }
}

// Tries all links, even after one has failed.
int install(Table applets, const std::string& directory, Existing existing) {
    if (sys::call("access", ::access, (directory + "/.").c_str(), F_OK) < 0)
        throw SysError("install into", directory);
    const auto target = own_program();
    int status = exit_status::done;
    for (const auto& row : applets)
        try {
            install_link(target, fmt::format("{}/{}", directory, row.name), existing);
        } catch (const SysError& error) {
            diagnose(error.what());
            status = exit_status::failed;
        }
    return status;
}

// Handles the arguments of --install: DIRECTORY and --force, in either order.
int install(Table applets, std::span<char* const> arguments) {
    auto existing = Existing::keep;
    std::string directory;
    for (const std::string_view argument : arguments)
        if (argument == "--force")
            existing = Existing::replace;
        else if (directory.empty() && !argument.starts_with('-'))
            directory = argument;
        else
            throw_unexpected(argument);
    if (directory.empty()) throw UsageError("--install needs a directory");
    return install(applets, directory, existing);
}

// ipcbox's own options. They are few, their forms are fixed (--list=full), and this path must start
// fastest. So there is no parser.
int run_box(Table applets, std::span<char* const> arguments) {
    if (arguments.empty()) throw UsageError("the name of an applet is missing", groups_of(applets));
    const std::string_view option = arguments[0];
    const auto rest = arguments.subspan(1);
    if (option == "help") return help(applets, rest);
    if (!option.starts_with('-')) throw_unknown(applets, option);
    if (option == "--install") return install(applets, rest);
    if (option == "--completion" && rest.empty())
        throw UsageError("--completion needs bash, zsh or fish");
    const std::size_t operands = option == "--completion" ? 1 : 0;
    if (rest.size() > operands) {
        if (find_applet(applets, rest[0]) != nullptr)
            throw UsageError(fmt::format("expected the name of the applet first: ipcbox {} {}",
                                         rest[0], option));
        throw_unexpected(rest[operands]);
    }

    constexpr std::string_view list_as = "--list=";
    if (option == "-h" || option == "--help")
        print_box_help(applets);
    else if (option == "-V" || option == "--version")
        print(version_line());
    else if (option == "--list")
        print_list(applets, {});
    else if (option.starts_with(list_as))
        print_list(applets, option.substr(list_as.size()));
    else if (option == "--completion")
        print_completion(applets, rest[0]);
    else
        throw UsageError(fmt::format("unknown option {}", option));
    return exit_status::done;
}

void trace_if_asked() {
    const char* variable = std::getenv("IPCBOX_TRACE");
    const std::string_view trace = variable != nullptr ? variable : "";
    if (!trace.empty() && trace != "0") sys::start_tracing();
}

} // namespace

int dispatch(Table applets, std::span<char* const> arguments) {
    trace_if_asked();
    // execve(2) can start us without a name; since Linux 5.18 the kernel makes an empty one of it.
    const std::string_view path = arguments.empty() ? "" : arguments[0];
    if (path.empty()) return guarded([&] { return run_box(applets, {}); });
    auto name = path.substr(path.rfind('/') + 1);
    if (name.starts_with('-')) name.remove_prefix(1); // a login shell: login(1)
    if (const auto* row = find_applet(applets, name)) return run_applet(*row, arguments.subspan(1));
    if (!name.starts_with(own_name)) // a link whose name we do not know
        return guarded([&]() -> int { throw_unknown(applets, name); });
    if (arguments.size() > 1)
        if (const auto* row = find_applet(applets, arguments[1]))
            return run_applet(*row, arguments.subspan(2));
    return guarded([&] { return run_box(applets, arguments.subspan(1)); });
}

} // namespace ipcbox::cli
