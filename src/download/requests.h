// The requests for documents.
#pragma once

#include "download/target.h"
#include "http/pipeline.h"

#include <span>
#include <vector>

namespace ipcbox::download {

// The request for URL on behalf of TARGET. CONTEXT has the data of this one request; the rest (the
// login, the way, the fields) follows from OPTIONS. Throws TransferError.
[[nodiscard]] http::Request request_for(const DownloadOptions& options, const Target& target,
                                        const http::Url& url, http::RequestContext context);

// The body that OPTIONS ask for; null when there is none. Throws TransferError.
[[nodiscard]] std::shared_ptr<http::BodySource> body_for(const http::RequestOptions& options);

// The bytes of the first request for TARGET, as far as they are known before anything is sent:
// --dry-run.
[[nodiscard]] std::string first_request(const DownloadOptions& options, const Target& target);

// The requests for the targets that will be next. They are made a few at a time, shortly before
// they can be sent ahead.
class RequestQueue {
  public:
    explicit RequestQueue(const DownloadOptions& options) : options_(options) {}

    // The requests for the first of TARGETS, in their order.
    [[nodiscard]] std::span<const http::Request> ahead(std::span<const Target> targets);
    // Takes the request for TARGET out of the queue, if it was made, and drops those before it.
    [[nodiscard]] std::optional<http::Request> take(const Target& target);

  private:
    const DownloadOptions& options_;
    std::vector<http::Request> requests_;
    std::vector<std::size_t> numbers_; // of their targets
    std::size_t taken_ = 0;
};

} // namespace ipcbox::download
