// What is asked of a server: what the user wants of every request, and the bytes of one (RFC 9112,
// section 3).
#pragma once

#include "http/outgoing.h"
#include "http/response_parser.h"
#include "http/url.h"

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

// A field that the user gives: "Name: value" adds or replaces it, "Name:" leaves out ours, "Name;"
// sends it empty. Throws std::invalid_argument, for line ends in it above all: they would begin a
// field, or a request, of their own.
struct CustomField {
    Field field;
    bool omitted = false;

    [[nodiscard]] static CustomField parse(std::string_view text);
};

struct RequestOptions {
    std::string method; // empty: as the rest demands
    bool head_only = false;
    int version = 11;
    std::vector<CustomField> fields;
    std::string user_agent;
    std::string referer; // empty: none
    std::optional<std::string> body;
    std::optional<std::string> upload; // a file to PUT, "-" for standard input
    // A body that is neither of both, for each document; may be empty.
    std::function<std::shared_ptr<BodySource>()> make_body;
    std::string content_type = "application/x-www-form-urlencoded"; // of body and make_body
    std::string accept = "*/*";
    bool compressed = false;
    std::optional<std::string> range;      // "0-499"
    std::optional<std::time_t> newer_than; // (If-Modified-Since)

    [[nodiscard]] bool has_body() const { return body || upload || make_body; }
};

// What one request has of its own.
struct RequestContext {
    std::string method;
    bool same_origin = true; // as the URL that the user gave: what is secret may be sent
    std::optional<Credentials> credentials;
    bool through_proxy = false; // which has to be told the whole URL
    std::optional<Credentials> proxy_credentials;
    // To go on behind this byte, if the document still has this version (If-Range), or has not
    // changed since (If-Unmodified-Since).
    std::uint64_t resume_at = 0;
    std::string version;
    std::string unmodified_since;
    std::optional<RequestBody> body;
    // More fields of ours, which the user's may replace: Cookie, for example.
    std::vector<Field> fields;
};

// How SOURCE is announced: by its length where it has one, else in chunks, unless the user's own
// Content-Length or Transfer-Encoding says it. Throws TransferError for what cannot be sent so: a
// body without a length to HTTP/1.0, or a coding other than chunked.
[[nodiscard]] RequestBody request_body(const RequestOptions& options,
                                       std::shared_ptr<BodySource> source);

// GET, HEAD, POST, PUT or what the user said.
[[nodiscard]] std::string method_of(const RequestOptions& options);
// After a redirect: POST becomes GET, as everybody does (RFC 9110, section 15.4).
[[nodiscard]] std::string method_after_redirect(const std::string& method, int status);
// Whether it may be sent twice, when nobody knows whether the first was heard (RFC 9110, section
// 9.2.2).
[[nodiscard]] bool is_idempotent(std::string_view method);

// The head of the request, to the empty line.
[[nodiscard]] std::string request_head(const RequestOptions& options, const Url& url,
                                       const RequestContext& context);
// That of the request for a tunnel to HOST (RFC 9110, section 9.3.6).
[[nodiscard]] std::string tunnel_head(const Url& url, const std::string& user_agent,
                                      const std::optional<Credentials>& credentials);

} // namespace ipcbox::http
