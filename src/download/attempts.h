// Attempts at a document: how many there are, and the pauses between them.
#pragma once

#include "download/target.h"

#include <exception>

namespace ipcbox::download {

// The reason why an attempt failed, as an outcome reports it.
struct Failure {
    int status = 0;
    std::string error;
    bool may_pass = false; // another attempt may go better
    int tunnel = 0;        // the status with which a proxy refused a tunnel
};
// The failure for the exception that is being handled. With IDEMPOTENT false, a request that the
// server may have heard must not be sent again, so its failure never passes. Rethrows exceptions
// that no transfer throws.
[[nodiscard]] Failure current_failure(bool idempotent);

// Whether another attempt may succeed after HTTP_STATUS, by the rules of curl --retry.
[[nodiscard]] bool may_pass(int http_status);

// The pause before the next attempt, when there were RETRIES retries so far: the time that the
// answer's Retry-After asks for, else RETRY_PAUSE, else 1 s, 2 s, 4 s ... up to ten minutes, as in
// curl.
[[nodiscard]] Duration pause_before_retry(int retries, const std::optional<Duration>& retry_pause,
                                          const http::ResponseHead* head);

class Attempts {
  public:
    explicit Attempts(const DownloadOptions& options)
        : options_(options), limit_(Deadline::after_or_never(options.retry_limit)) {}

    [[nodiscard]] int retries() const { return retries_; }
    // When the next attempt would start if this one fails for a reason that may pass; nothing when
    // there is none. HEAD (may be null) is the last answer.
    [[nodiscard]] std::optional<Deadline> next(const http::ResponseHead* head) const;
    // Waits for the time of the next attempt; false when there is none.
    [[nodiscard]] bool wait_for_next(const http::ResponseHead* head);

  private:
    const DownloadOptions& options_;
    Deadline limit_;
    int retries_ = 0;
};

} // namespace ipcbox::download
