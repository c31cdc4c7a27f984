// Requests to a server: the options that apply to all of them, and the bytes of one (RFC 9112,
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
// sends it empty. Throws std::invalid_argument, above all for line ends in it, which would begin
// another field or request.
struct CustomField {
    Field field;
    bool omitted = false;

    [[nodiscard]] static CustomField parse(std::string_view text);
};

struct RequestOptions {
    std::string method; // empty: chosen by the other options
    bool head_only = false;
    int version = 11;
    std::vector<CustomField> fields;
    std::string user_agent;
    std::string referer; // empty: none
    std::optional<std::string> body;
    std::optional<std::string> upload; // a file to PUT, "-" for standard input
    // Makes another kind of body for each document; may be empty.
    std::function<std::shared_ptr<BodySource>()> make_body;
    std::string content_type = "application/x-www-form-urlencoded"; // of body and make_body
    std::string accept = "*/*";
    bool compressed = false;
    std::optional<std::string> range;          // "0-499"
    std::optional<std::time_t> newer_than;     // (If-Modified-Since)
    std::optional<std::time_t> not_newer_than; // (If-Unmodified-Since)

    [[nodiscard]] bool has_body() const { return body || upload || make_body; }
};

// The data that differ from request to request.
struct RequestContext {
    std::string method;
    bool same_origin = true; // as the URL that the user gave: secrets may be sent
    std::optional<Credentials> credentials;
    bool through_proxy = false; // which needs the whole URL
    std::optional<Credentials> proxy_credentials;
    // Continues behind this byte, if the document still has this version (If-Range), or has not
    // changed since (If-Unmodified-Since).
    std::uint64_t resume_at = 0;
    std::string version;
    std::string unmodified_since;
    std::optional<RequestBody> body;
    bool expects_nothing = false; // leave out the user's Expect field
    // More fields of ours, which the user's may replace: Cookie, for example.
    std::vector<Field> fields;
};

// The value of the user's first field of that NAME; nullptr when they send none.
[[nodiscard]] const std::string* users_field(const RequestOptions& options, std::string_view name);

// Chooses the framing of SOURCE: by its length if it has one, else in chunks. The user's own
// Content-Length or Transfer-Encoding wins. Throws TransferError when that is impossible: for a
// body without a length in HTTP/1.0, and for a coding other than chunked.
[[nodiscard]] RequestBody request_body(const RequestOptions& options,
                                       std::shared_ptr<BodySource> source);

// GET, HEAD, POST, PUT or the user's own method.
[[nodiscard]] std::string method_of(const RequestOptions& options);
// The method after a redirect: POST becomes GET, as in all common clients (RFC 9110, section 15.4).
[[nodiscard]] std::string method_after_redirect(const std::string& method, int status);
// Whether a request may be sent again when it is unknown whether the server got the first one (RFC
// 9110, section 9.2.2).
[[nodiscard]] bool is_idempotent(std::string_view method);

// The head of the request, to the empty line.
[[nodiscard]] std::string request_head(const RequestOptions& options, const Url& url,
                                       const RequestContext& context);
// The head of the request for a tunnel to URL's host (RFC 9110, section 9.3.6).
[[nodiscard]] std::string tunnel_head(const Url& url, const std::string& user_agent,
                                      const std::optional<Credentials>& credentials);

} // namespace ipcbox::http
