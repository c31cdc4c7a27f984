// The documents to fetch, the options, and the outcomes.
#pragma once

#include "http/digest.h"
#include "http/login.h"
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
    std::size_t operand = 0; // the place of its URL, of which braces make several targets
    std::string written{};   // the user's text for the URL; empty if we changed or made it
};

struct ReceiverOptions {
    std::optional<std::uint64_t> max_bytes; // of the document
    std::optional<std::uint64_t> bytes_per_second;
    bool hash = false; // report the document's sha256
};

// Changes the pieces of a document on their way to a terminal; an empty piece is the end.
using OutputFilter = std::function<std::string(std::string_view)>;

struct DownloadOptions {
    http::RequestOptions request;
    http::RouteOptions route;
    ReceiverOptions receive;
    http::LoginRules login;
    // How a login is shown: at once with Basic, or only as an answer to a challenge.
    enum class LoginScheme { basic, by_challenge } login_scheme = LoginScheme::basic;
    // Gives more fields for a request to that URL, for example its cookies; may be empty. It is
    // called shortly before each request is sent, also after a redirect.
    std::function<std::vector<http::Field>(const http::Url&)> more_fields;
    // Gets the head of every answer, also of redirects, in their order; may be empty. Several
    // workers may call it at the same time.
    std::function<void(const Target&, const http::Url&, const http::ResponseHead&)> on_head;
    // Answers a 401: gets its head, and the number of them answered already for this URL. Returns
    // the Authorization field for one more request, or nothing. May be empty. Several workers may
    // call it at the same time.
    std::function<std::optional<http::Field>(const Target&, const http::Url&,
                                             const std::string& method, const http::ResponseHead&,
                                             int answered)>
        answer_challenge;
    std::optional<int> max_redirects; // without it, redirects are not followed
    // Throws TransferError where a redirect must not lead FROM one URL TO another. Must not be
    // empty when redirects are followed.
    std::function<void(const http::Url& from, const http::Url& to)> check_redirect;
    std::optional<Duration> time_limit; // for each attempt
    int retries = 0;
    std::optional<Duration> retry_pause; // otherwise 1 s, 2 s, 4 s, ... as curl
    std::optional<Duration> retry_limit;
    bool retry_all = false; // after any failure
    bool resume = false;
    bool range_is_needed = false;   // an answer with the whole document is a failure
    bool remote_time = false;       // files get the date that the server states
    bool server_names_file = false; // Content-Disposition's name wins over the URL's
    bool include_head = false;
    // Drop every document that has no file: only the report is wanted.
    bool drop_documents = false;
    bool pipelining = true;
    // The place for the body of an answer with a status from 400 on, or of a redirect that is not
    // followed.
    enum class ErrorBody { aside, drop, as_document } error_body = ErrorBody::aside;
    // The place for ErrorBody::aside.
    std::function<void(std::string_view)> aside;
    // A new filter for each document that goes to standard output. Empty: the document as it is.
    std::function<OutputFilter()> make_visible;
};

// The outcome of one target.
struct Outcome {
    http::Url url;  // the last one
    int status = 0; // an exit status: 0, or one of failure.h
    std::string error;
    std::vector<std::string> warnings;      // for the user, although they are not errors
    std::vector<std::string> notes;         // for the user with --verbose
    std::optional<http::ResponseHead> head; // the last one
    std::uint64_t bytes = 0;                // of the body, as they came
    std::uint64_t resumed_at = 0;
    Deadline::Clock::time_point began{};
    http::Milestones milestones; // of the last request
    Deadline::Clock::time_point ended{};
    int redirects = 0;
    int retries = 0;
    std::string sha256;         // if it was asked for
    std::string file;           // where the document is; empty: standard output
    std::string method;         // of the last request
    std::string referer;        // that the requests state
    int connects = 0;           // new connections
    int tunnel = 0;             // the status of the last answer to a request for a tunnel; 0: none
    bool is_unverified = false; // the last server's certificate: --insecure
    http::Endpoint local;       // of the last connection; empty for a Unix socket
    http::Endpoint remote;
    std::uint64_t head_bytes = 0;    // of all answers' heads
    std::uint64_t request_bytes = 0; // of all requests' heads
    std::uint64_t uploaded = 0;      // of the last request's body, as far as it was sent
};

} // namespace ipcbox::download
