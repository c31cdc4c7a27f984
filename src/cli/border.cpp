#include "cli/border.h"

#include "cli/options.h"
#include "cli/output.h"
#include "core/trace.h"

#include <cstdlib>
#include <fmt/core.h>
#include <new>
#include <string_view>

namespace ipcbox::cli {

namespace {

int run_and_catch(const std::function<int()>& work) {
    try {
        return work();
    } catch (const Finished&) {
        return exit_status::done;
    } catch (const UsageError& error) {
        diagnose(fmt::format("{} (see {} --help)", error.what(), program_name()));
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
    const char* trace = std::getenv("IPCBOX_TRACE");
    if (trace != nullptr && std::string_view{trace} != "" && std::string_view{trace} != "0")
        sys::start_tracing();
    return guarded([&] {
        return applet.applet->run({applet.name, applet.applet->summary, arguments});
    });
}

} // namespace ipcbox::cli
