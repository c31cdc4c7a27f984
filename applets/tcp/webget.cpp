// webget - fetch documents over HTTP
#include "applet.h"
#include "cli/output.h"
#include "download/requests.h"
#include "download/workers.h"
#include "front/webget/cookie_options.h"
#include "front/webget/head_options.h"
#include "front/webget/options.h"
#include "front/webget/progress.h"
#include "front/webget/report.h"
#include "http/failure.h"

#include <optional>
#include <unistd.h>

namespace ipcbox {
namespace {

int print_requests(const front::FetchConfig& config) {
    for (const auto& target : config.targets)
        cli::print(download::first_request(config.download, target));
    return exit_status::done;
}

int fetch(front::FetchConfig& config) {
    std::optional<front::FetchProgress> progress;
    if (config.show_progress) progress.emplace(STDERR_FILENO, config.targets.size());
    front::FetchReport report{config, [&progress] {
                                  if (progress) progress->erase();
                              }};
    download::OrderedOutput output{STDOUT_FILENO, "standard output"};
    try {
        if (config.head_file) front::dump_heads(config.download, *config.head_file, output);
        download::fetch_all(
            config.targets, config.download, config.workers, output,
            progress ? &*progress : nullptr,
            [&report](const download::Target& target, const download::Outcome& outcome) {
                return report.tell(target, outcome);
            });
        front::write_cookies(config);
    } catch (const SysError& lost) { // a small document is written only at the end
        throw http::TransferError(lost.what(), http::status::cannot_write);
    }
    return report.finish();
}

int run(const Invocation& invocation) {
    auto config = front::parse_fetch_options(invocation);
    return config.dry_run ? print_requests(config) : fetch(config);
}

} // namespace

extern constexpr Applet webget{"fetch documents over HTTP", run};

} // namespace ipcbox
