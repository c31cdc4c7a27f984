#include "download/attempts.h"

#include "core/poll.h"
#include "http/connection.h"
#include "http/date.h"
#include "http/failure.h"

#include <algorithm>
#include <ctime>

namespace ipcbox::download {

namespace {

using namespace std::chrono_literals;

constexpr Duration first_pause = 1s;
constexpr Duration max_pause = 10min;

} // namespace

Failure current_failure(bool idempotent) {
    try {
        throw;
    } catch (const http::ConnectionLost& lost) {
        return {lost.status(), lost.what(), idempotent || lost.was_before_request()};
    } catch (const http::TunnelRefused& error) {
        return {error.status(), error.what(), false, error.answer()};
    } catch (const http::TransferError& error) {
        const bool nobody_there = error.status() == http::status::cannot_connect ||
                                  error.status() == http::status::cannot_resolve;
        return {error.status(), error.what(), nobody_there};
    } catch (const net::TlsError& error) {
        return {error.curl_status(), error.what(), false};
    } catch (const TimedOut& error) {
        return {http::status::timed_out, error.what(), idempotent};
    } catch (const SysError& error) {
        return {http::status::cannot_write, error.what(), false};
    } catch (const Error& error) {
        return {error.status(), error.what(), false};
    }
}

bool may_pass(int http_status) {
    return http_status == 408 || http_status == 429 || http_status == 500 || http_status == 502 ||
           http_status == 503 || http_status == 504;
}

namespace {

std::optional<Duration> servers_pause(const http::ResponseHead* head) {
    const auto* wish = head != nullptr ? head->find("Retry-After") : nullptr;
    if (wish == nullptr || !may_pass(head->status)) return std::nullopt;
    return http::parse_retry_after(*wish, std::time(nullptr));
}

} // namespace

Duration pause_before_retry(int retries, const std::optional<Duration>& retry_pause,
                            const http::ResponseHead* head) {
    if (const auto pause = servers_pause(head)) return *pause;
    if (retry_pause) return *retry_pause;
    Duration pause = first_pause;
    for (int attempt = 0; attempt < retries && pause < max_pause; ++attempt)
        pause *= 2;
    return std::min(pause, max_pause);
}

std::optional<Deadline> Attempts::next(const http::ResponseHead* head) const {
    if (retries_ >= options_.retries) return std::nullopt;
    const auto pause = pause_before_retry(retries_, options_.retry_pause, head);
    // Otherwise a server could delay users by more time than they gave to the whole transfer.
    if (servers_pause(head) && options_.time_limit && pause > *options_.time_limit)
        return std::nullopt;
    const auto start = Deadline::after(pause);
    if (limit_ < start) return std::nullopt;
    return start;
}

bool Attempts::wait_for_next(const http::ResponseHead* head) {
    const auto start = next(head);
    if (!start) return false;
    ++retries_;
    (void)poll_until({}, *start);
    return true;
}

} // namespace ipcbox::download
