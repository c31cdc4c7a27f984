#include "front/common_options.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/number.h"
#include "net/address.h"

#include <fmt/core.h>
#include <limits>
#include <stdexcept>

namespace ipcbox::front {

namespace {

ForkRetry parse_fork_retry(std::string_view text) try {
    constexpr int max_times = 1'000'000;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) throw std::invalid_argument("without a pause");
    ForkRetry retry{cli::number_between(1, max_times)(text.substr(0, colon)),
                    cli::parse_positive_duration(text.substr(colon + 1))};
    retry.on_refusal = [pause = std::string{text.substr(colon + 1)}](int error) {
        cli::diagnose(fmt::format("cannot fork: {}; trying again in {}", error_text(error), pause));
    };
    return retry;
} catch (const std::invalid_argument&) {
    throw std::invalid_argument("expected TIMES:PAUSE, such as 6:10s");
}

} // namespace

std::string parse_socket_path(std::string_view text) try {
    (void)net::Address::unix_path(text);
    return std::string{text};
} catch (const Error& error) {
    throw std::invalid_argument(error.what());
}

void refuse_host_then_port(std::string_view host, std::string_view port) {
    const auto number = whole_number<std::uint16_t>(port);
    if (host == "0" && number && *number != 0)
        throw cli::UsageError(fmt::format(
            "0 {0} is a free port and port {0}: for all interfaces, write 0:{0}", *number));
}

void declare_user(cli::Options& options, std::optional<cli::Owner>& into) {
    options.value("-u,--user USER[:GROUP]", into, cli::parse_owner,
                  "become this user once the server listens");
}

void declare_notify_fd(cli::Options& options, std::optional<int>& into) {
    options.value("--notify-fd FD", into, cli::number_between(1, std::numeric_limits<int>::max()),
                  "write the ready lines to FD instead of standard error");
}

void declare_fork_retry(cli::Options& options, ForkRetry& into) {
    options.value("--retry-fork TIMES:PAUSE", into, parse_fork_retry,
                  "if the system refuses a new process, try again at most TIMES times, with this "
                  "PAUSE: 6:10s");
}

} // namespace ipcbox::front
