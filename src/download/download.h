// One document, from its URL to where it belongs: redirects followed, attempts repeated and taken
// up where they broke off, and what came put into its place only when it is right.
#pragma once

#include "download/destination.h"
#include "download/ordered_output.h"
#include "download/part_file.h"
#include "download/receiver.h"
#include "http/digest.h"
#include "http/pipeline.h"
#include "http/request.h"
#include "http/route.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::download {

struct Target {
    std::size_t number = 0; // its place among all, from 0
    http::Url url;
    std::string file; // empty: standard output
    std::optional<http::Checksum> checksum;
};

struct DownloadOptions {
    http::RequestOptions request;
    http::RouteOptions route;
    ReceiverOptions receive;
    // Whose URL has none of its own; may be empty.
    std::function<std::optional<http::Credentials>(const http::Url&)> credentials;
    std::optional<int> most_redirects;  // they are not followed without it
    std::optional<Duration> time_limit; // for each attempt
    int retries = 0;
    std::optional<Duration> retry_pause; // else 1 s, 2 s, 4 s, ... as curl
    std::optional<Duration> retry_limit;
    bool resume = false;
    bool include_head = false;
    // Without a file, documents go nowhere: the report is what is wanted.
    bool drop_documents = false;
    bool pipelining = true;
    // What comes with a status from 400 on, or with a redirect that is not followed.
    enum class ErrorBody { aside, drop, as_document } error_body = ErrorBody::aside;
    // Where ErrorBody::aside is.
    std::function<void(std::string_view)> aside;
    // What standard output gets in the place of a document's pieces, and of the empty one that is
    // its end; a new filter for each document. Empty: the pieces as they are.
    using Filter = std::function<std::string(std::string_view)>;
    std::function<Filter()> make_visible;
};

// How it went.
struct Outcome {
    http::Url url;  // the last one
    int status = 0; // an exit status: 0, or one of failure.h
    std::string error;
    std::optional<http::ResponseHead> head; // the last one
    std::uint64_t bytes = 0;                // of the body, as they came
    std::uint64_t resumed_at = 0;
    Deadline::Clock::time_point began{};
    http::Milestones milestones; // of the last request
    Deadline::Clock::time_point ended{};
    int redirects = 0;
    int retries = 0;
    std::string sha256; // if it was asked for
};

// A worker: not for several threads.
class Downloader {
  public:
    // OUTPUT takes what goes to standard output.
    Downloader(const DownloadOptions& options, OrderedOutput& output, Progress* progress);

    // The targets that will be next, in that order.
    using Next = std::function<const Target*(std::size_t position)>;
    // Never throws TransferError, SysError or TimedOut: they are told in the outcome.
    [[nodiscard]] Outcome fetch(const Target& target, const Next& next);

    // The request for a target, as it would be sent: --dry-run.
    [[nodiscard]] std::string first_request(const Target& target) const;

  private:
    class Transfer;

    const DownloadOptions& options_;
    OrderedOutput& output_;
    Progress* progress_;
    http::Pipeline pipeline_;
    std::size_t number_ = 0; // of the target that is being fetched
    // Requests that were sent ahead, for their targets' turn.
    std::deque<std::pair<std::size_t, http::Request>> prepared_;
};

} // namespace ipcbox::download
