#include "http/request.h"

#include "core/ascii.h"
#include "core/number.h"
#include "http/date.h"
#include "http/digest.h"
#include "http/failure.h"
#include "http/tokens.h"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace ipcbox::http {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string basic(const Credentials& credentials) {
    return "Basic " + base64(credentials.user + ':' + credentials.password);
}

// The fields of one request. Fields of the user replace ours.
class Head {
  public:
    Head(const RequestOptions& options, const RequestContext& context, std::string_view first_line)
        : options_(options), context_(context), text_(first_line) {
        text_ += "\r\n";
    }
    void add(std::string_view name, std::string_view value) {
        if (!is_users(name)) append(name, value);
    }
    [[nodiscard]] std::string finish() {
        bool has_host = false; // a second one would make the request invalid
        for (const auto& [field, omitted] : options_.fields) {
            if (omitted || !may_be_sent(field.name) || lacks_body(field) || is_dropped(field))
                continue;
            const bool is_host = ascii::same_but_for_case(field.name, "Host");
            if (!is_host || !std::exchange(has_host, true)) append(field.name, field.value);
        }
        return std::move(text_) + "\r\n";
    }

  private:
    void append(std::string_view name, std::string_view value) {
        text_.append(name).append(value.empty() ? ":" : ": ").append(value).append("\r\n");
    }
    [[nodiscard]] bool is_users(std::string_view name) const {
        return may_be_sent(name) &&
               std::ranges::any_of(options_.fields, [name](const CustomField& custom) {
                   return ascii::same_but_for_case(custom.field.name, name);
               });
    }
    // Whether FIELD would announce a body that does not follow. (POST with a Content-Length of 0 is
    // fine.)
    [[nodiscard]] bool lacks_body(const Field& field) const {
        return !context_.body &&
               (ascii::same_but_for_case(field.name, "Transfer-Encoding") ||
                (ascii::same_but_for_case(field.name, "Content-Length") && field.value != "0"));
    }
    [[nodiscard]] bool is_dropped(const Field& field) const {
        return context_.expects_nothing && ascii::same_but_for_case(field.name, "Expect");
    }
    // A host that a redirect leads to must get neither the Host field nor any secret.
    [[nodiscard]] bool may_be_sent(std::string_view name) const {
        if (context_.same_origin) return true;
        constexpr std::string_view secret[] = {"Authorization", "Cookie", "Host"};
        return std::ranges::none_of(
            secret, [name](std::string_view one) { return ascii::same_but_for_case(one, name); });
    }

    const RequestOptions& options_;
    const RequestContext& context_;
    std::string text_;
};

} // namespace

CustomField CustomField::parse(std::string_view text) {
    if (text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
        throw std::invalid_argument("expected one line without a line feed");
    const auto mark = text.find_first_of(":;");
    const auto name = text.substr(0, mark);
    if (mark == std::string_view::npos || !is_token(name))
        throw std::invalid_argument("expected NAME: VALUE");
    const auto value = trimmed(text.substr(mark + 1));
    if (text[mark] == ';') {
        if (!value.empty()) throw std::invalid_argument("expected NAME: VALUE");
        return {{std::string{name}, ""}, false};
    }
    return {{std::string{name}, std::string{value}}, value.empty()};
}

const std::string* users_field(const RequestOptions& options, std::string_view name) {
    for (const auto& [field, omitted] : options.fields)
        if (!omitted && ascii::same_but_for_case(field.name, name)) return &field.value;
    return nullptr;
}

RequestBody request_body(const RequestOptions& options, std::shared_ptr<BodySource> source) {
    RequestBody body;
    auto size = source->length();
    const auto fail = [](const std::string& message) {
        throw TransferError("cannot send the body: " + message, status::cannot_send);
    };
    const auto* coding = users_field(options, "Transfer-Encoding");
    if (coding != nullptr && !ascii::same_but_for_case(*coding, "chunked"))
        fail(fmt::format("the Transfer-Encoding can only be chunked, not {}", *coding));
    const auto* length = users_field(options, "Content-Length");
    if (length != nullptr && coding != nullptr)
        fail("it cannot have both a Content-Length and a Transfer-Encoding");
    if (length != nullptr) {
        const auto number = whole_number<std::uint64_t>(*length);
        if (!number || (size && *number != *size))
            fail(fmt::format("its Content-Length is not {}", *length));
        size = number;
    }
    if (coding != nullptr || !size) {
        if (options.version == 10)
            fail("HTTP/1.0 needs to know its length, and cannot take it in chunks");
        body.framing = BodyFraming::chunks;
    }
    body.size = size.value_or(0);
    const auto* expectation = users_field(options, "Expect");
    body.wait_for_100 =
        expectation != nullptr && ascii::same_but_for_case(*expectation, "100-continue");
    body.source = std::move(source);
    return body;
}

std::string method_of(const RequestOptions& options) {
    if (!options.method.empty()) return options.method;
    if (options.head_only) return "HEAD";
    if (options.upload) return "PUT";
    return options.has_body() ? "POST" : "GET";
}

std::string method_after_redirect(const std::string& method, int status) {
    if (status == 303) return method == "HEAD" ? method : "GET";
    const bool keeps = status == 307 || status == 308 || method != "POST";
    return keeps ? method : "GET";
}

bool is_idempotent(std::string_view method) {
    constexpr std::string_view idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return std::ranges::find(idempotent, method) != std::end(idempotent);
}

std::string request_head(const RequestOptions& options, const Url& url,
                         const RequestContext& context) {
    const auto target =
        context.through_proxy ? url.scheme + "://" + url.authority() + url.target : url.target;
    Head head{options, context,
              fmt::format("{} {} HTTP/1.{}", context.method, target, options.version - 10)};
    head.add("Host", url.authority());
    if (!options.user_agent.empty()) head.add("User-Agent", options.user_agent);
    head.add("Accept", options.accept);
    if (options.compressed) head.add("Accept-Encoding", "gzip, deflate");
    if (context.credentials) head.add("Authorization", basic(*context.credentials));
    if (context.proxy_credentials)
        head.add("Proxy-Authorization", basic(*context.proxy_credentials));
    if (!options.referer.empty()) head.add("Referer", options.referer);
    if (context.resume_at > 0) {
        head.add("Range", fmt::format("bytes={}-", context.resume_at));
        if (!context.version.empty()) head.add("If-Range", context.version);
        if (!context.unmodified_since.empty())
            head.add("If-Unmodified-Since", context.unmodified_since);
    } else if (options.range) {
        head.add("Range", "bytes=" + *options.range);
    }
    if (options.newer_than) head.add("If-Modified-Since", http_date(*options.newer_than));
    if (options.not_newer_than && context.unmodified_since.empty())
        head.add("If-Unmodified-Since", http_date(*options.not_newer_than));
    for (const auto& field : context.fields)
        head.add(field.name, field.value);
    if (context.body) {
        if (!options.upload) head.add("Content-Type", options.content_type);
        if (context.body->framing == BodyFraming::length)
            head.add("Content-Length", fmt::format("{}", context.body->size));
        else
            head.add("Transfer-Encoding", "chunked");
    }
    return head.finish();
}

std::string tunnel_head(const Url& url, const std::string& user_agent,
                        const std::optional<Credentials>& credentials) {
    // The port is always included (RFC 9110, section 9.3.6).
    const bool ipv6 = url.host.find(':') != std::string::npos;
    const auto place = ipv6 ? fmt::format("[{}]:{}", url.host, url.port)
                            : fmt::format("{}:{}", url.host, url.port);
    auto text = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", place, place);
    if (!user_agent.empty()) text += fmt::format("User-Agent: {}\r\n", user_agent);
    if (credentials) text += fmt::format("Proxy-Authorization: {}\r\n", basic(*credentials));
    return text + "\r\n";
}

} // namespace ipcbox::http
