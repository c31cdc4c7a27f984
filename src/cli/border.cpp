#include "cli/border.h"

#include "cli/options.h"
#include "cli/output.h"
#include "core/io.h"

#include <fmt/core.h>
#include <new>
#include <unistd.h>

namespace ipcbox::cli {

namespace {

void show_help(std::string_view help) {
    try {
        write_all(STDERR_FILENO, help, "standard error");
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): there is no place left to
                                      // report it
    }
}

int run_and_catch(const std::function<int()>& work) {
    try {
        return work();
    } catch (const Finished&) {
        return exit_status::done;
    } catch (const UsageError& error) {
        diagnose(fmt::format("{} (see {} --help)", error.what(), program_name()));
        if (is_terminal(STDERR_FILENO)) show_help(error.help());
        return error.status();
    } catch (const Error& error) {
        diagnose(error.what());
        return error.status();
    } catch (const std::bad_alloc&) {
        diagnose("out of memory");
    } catch (const std::exception& error) {
        diagnose(error.what());
    }
    return exit_status::failed;
}

} // namespace

int guarded(const std::function<int()>& work) {
    const int status = run_and_catch(work);
    const int flushed = run_and_catch([] {
        flush();
        return exit_status::done;
    });
    return status != exit_status::done ? status : flushed;
}

int run_applet(const AppletRow& applet, std::span<char* const> arguments) {
    set_program_name(applet.name);
    return guarded([&] {
        return applet.applet->run({applet.name, applet.applet->summary, arguments});
    });
}

} // namespace ipcbox::cli
