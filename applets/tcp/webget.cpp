// webget - fetch documents over HTTP
#include "applet.h"
#include "cli/output.h"
#include "front/webget/options.h"
#include "front/webget/progress.h"
#include "front/webget/report.h"

#include <optional>
#include <unistd.h>

namespace ipcbox {
namespace {

int print_requests(const front::FetchConfig& config) {
    for (const auto& target : config.targets)
        cli::print(download::first_request(config.download, target));
    return exit_status::done;
}

int fetch(const front::FetchConfig& config) {
    std::optional<front::FetchProgress> progress;
    if (config.show_progress) progress.emplace(STDERR_FILENO, config.targets.size());
    front::FetchReport report{config, [&progress] {
                                  if (progress) progress->erase();
                              }};
    download::OrderedOutput output{STDOUT_FILENO, "standard output"};
    download::fetch_all(
        config.targets, config.download, config.workers, output, progress ? &*progress : nullptr,
        [&report](const download::Target& target, const download::Outcome& outcome) {
            return report.tell(target, outcome);
        });
    return report.finish();
}

int run(const Invocation& invocation) {
    const auto config = front::parse_fetch_options(invocation);
    return config.dry_run ? print_requests(config) : fetch(config);
}

} // namespace

extern constexpr Applet webget{"fetch documents over HTTP", run};

} // namespace ipcbox
