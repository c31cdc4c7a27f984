// What is to be fetched, how, and how it went.
#pragma once

#include "http/digest.h"
#include "http/request.h"
#include "http/response_parser.h"
#include "http/route.h"
#include "http/url.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::download {

struct Target {
    std::size_t number = 0; // its place among all, from 0
    http::Url url;
    std::string file; // empty: standard output
    std::optional<http::Checksum> checksum;
};

struct ReceiverOptions {
    std::optional<std::uint64_t> max_bytes; // of the document
    std::optional<std::uint64_t> bytes_per_second;
    bool hash = false; // also tell the document's sha256
};

// Changes the pieces of a document on their way to a terminal; an empty piece is the end.
using OutputFilter = std::function<std::string(std::string_view)>;

struct DownloadOptions {
    http::RequestOptions request;
    http::RouteOptions route;
    ReceiverOptions receive;
    // The login for a URL that has none of its own; may be empty.
    std::function<std::optional<http::Credentials>(const http::Url&)> credentials;
    // More fields for a request to that URL, for example its cookies; may be empty. It is called
    // shortly before the request is sent, also after a redirect.
    std::function<std::vector<http::Field>(const http::Url&)> more_fields;
    // Told the head of every answer, also those on the way to the document, in their order; may be
    // empty. Several workers may call it at the same time.
    std::function<void(const Target&, const http::Url&, const http::ResponseHead&)> on_head;
    // Told a 401 or 407: gives the Authorization (or Proxy-Authorization) field with which to ask
    // once more, or nothing. May be empty.
    std::function<std::optional<http::Field>(const http::Url&, const std::string& method,
                                             const http::ResponseHead&)>
        answer_challenge;
    std::optional<int> max_redirects;   // without it, redirects are not followed
    std::optional<Duration> time_limit; // for each attempt
    int retries = 0;
    std::optional<Duration> retry_pause; // otherwise 1 s, 2 s, 4 s, ... as curl
    std::optional<Duration> retry_limit;
    bool resume = false;
    bool include_head = false;
    // A document without a file goes nowhere: the report is what is wanted.
    bool drop_documents = false;
    bool pipelining = true;
    // Where the body goes that comes with a status from 400 on, or with a redirect that is not
    // followed.
    enum class ErrorBody { aside, drop, as_document } error_body = ErrorBody::aside;
    // The place for ErrorBody::aside.
    std::function<void(std::string_view)> aside;
    // A new filter for each document that goes to standard output. Empty: the document as it is.
    std::function<OutputFilter()> make_visible;
};

// How it went.
struct Outcome {
    http::Url url;  // the last one
    int status = 0; // an exit status: 0, or one of failure.h
    std::string error;
    std::vector<std::string> warnings;      // what the user should know although it is no error
    std::vector<std::string> notes;         // what the user may want to know (--verbose)
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

} // namespace ipcbox::download
