// webget - fetch documents over HTTP
#include "applet.h"
#include "cli/output.h"
#include "command/fetch_options.h"
#include "command/fetch_progress.h"
#include "command/fetch_report.h"

#include <optional>
#include <unistd.h>

namespace ipcbox {
namespace {

int print_requests(const command::FetchConfig& config) {
    http::OrderedOutput nobody{STDOUT_FILENO, "standard output"};
    const http::Downloader downloader{config.download, nobody, nullptr};
    for (const auto& target : config.targets)
        cli::print(downloader.first_request(target));
    return exit_status::done;
}

int fetch(const command::FetchConfig& config) {
    std::optional<command::FetchProgress> progress;
    if (config.show_progress) progress.emplace(STDERR_FILENO, config.targets.size());
    command::FetchReport report{config, [&progress] {
                                    if (progress) progress->erase();
                                }};
    http::OrderedOutput output{STDOUT_FILENO, "standard output"};
    http::fetch_all(config.targets, config.download, config.workers, output,
                    progress ? &*progress : nullptr,
                    [&report](const http::Target& target, const http::Outcome& outcome) {
                        return report.tell(target, outcome);
                    });
    return report.finish();
}

int run(const Invocation& invocation) {
    const auto config = command::parse_fetch_options(invocation);
    return config.dry_run ? print_requests(config) : fetch(config);
}

} // namespace

extern constexpr Applet webget{"fetch documents over HTTP", run};

} // namespace ipcbox
