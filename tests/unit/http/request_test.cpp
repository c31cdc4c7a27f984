#include "http/request.h"

#include "http/failure.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

std::string head_of(const RequestOptions& options, RequestContext context,
                    std::string_view url = "http://host/path?query") {
    if (context.method.empty()) context.method = method_of(options);
    return request_head(options, Url::parse(url), context);
}

RequestOptions with_fields(std::initializer_list<const char*> fields) {
    RequestOptions options;
    for (const auto* field : fields)
        options.fields.push_back(CustomField::parse(field));
    return options;
}

bool has(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string{line} + "\r\n") != std::string::npos;
}

} // namespace

TEST_CASE("a user's field is added, emptied or left out") {
    const auto plain = CustomField::parse("X-A: \t b: c; d \t");
    CHECK(plain.field.name == "X-A");
    CHECK(plain.field.value == "b: c; d");
    CHECK_FALSE(plain.omitted);
    CHECK(CustomField::parse("X-A:b").field.value == "b");
    CHECK(CustomField::parse("Accept:").omitted);
    CHECK(CustomField::parse("Accept: \t").omitted);
    const auto empty = CustomField::parse("X-A; ");
    CHECK(empty.field.value.empty());
    CHECK_FALSE(empty.omitted);
}

TEST_CASE("a field cannot become two") {
    for (const std::string_view text :
         {std::string_view{"A: b\r\nC: d"}, std::string_view{"A: b\n"}, std::string_view{"A: b\r"},
          std::string_view{"A\n: b"}, std::string_view{"A: b\0c", 6}})
        CHECK_THROWS_WITH_AS((void)CustomField::parse(text),
                             "expected one line without a line feed", std::invalid_argument);
    for (const auto* text :
         {"", ":", ";", ": b", "A", "A b", "A b: c", "A : b", "A; b", "caf\xc3\xa9: b"})
        CHECK_THROWS_WITH_AS((void)CustomField::parse(text), "expected NAME: VALUE",
                             std::invalid_argument);
}

TEST_CASE("the method follows from the rest") {
    RequestOptions options;
    CHECK(method_of(options) == "GET");
    options.body = "";
    CHECK(method_of(options) == "POST");
    options.body.reset();
    options.upload = "-";
    CHECK(method_of(options) == "PUT");
    options.upload.reset();
    options.head_only = true;
    CHECK(method_of(options) == "HEAD");
    options.method = "PURGE";
    CHECK(method_of(options) == "PURGE");
}

TEST_CASE("a redirect turns POST into GET") {
    for (const int status : {301, 302}) {
        CHECK(method_after_redirect("POST", status) == "GET");
        CHECK(method_after_redirect("PUT", status) == "PUT");
        CHECK(method_after_redirect("HEAD", status) == "HEAD");
    }
    for (const int status : {307, 308})
        CHECK(method_after_redirect("POST", status) == "POST");
    CHECK(method_after_redirect("POST", 303) == "GET");
    CHECK(method_after_redirect("PUT", 303) == "GET");
    CHECK(method_after_redirect("HEAD", 303) == "HEAD");
}

TEST_CASE("only idempotent methods may be sent twice") {
    for (const auto* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        CHECK(is_idempotent(method));
    for (const auto* method : {"POST", "PATCH", "CONNECT", "get", ""})
        CHECK_FALSE(is_idempotent(method));
}

TEST_CASE("a request has its few fields, or all that there are") {
    CHECK(head_of({}, {}) == "GET /path?query HTTP/1.1\r\nHost: host\r\nAccept: */*\r\n\r\n");

    RequestOptions options;
    options.version = 10;
    options.user_agent = "me";
    options.referer = "http://there/";
    options.compressed = true;
    options.range = "0-4";
    options.newer_than = 784111777; // RFC 9110, section 5.6.7
    options.body = "a=b";
    RequestContext context;
    context.credentials = Credentials{"Aladdin", "open sesame"}; // RFC 7617, section 2
    context.proxy_credentials = Credentials{"p", ""};
    context.through_proxy = true;
    context.body = RequestBody{nullptr, BodyFraming::length, 3};
    CHECK(head_of(options, context, "http://u:p@[::1]:8080/") ==
          "POST http://[::1]:8080/ HTTP/1.0\r\n"
          "Host: [::1]:8080\r\n"
          "User-Agent: me\r\n"
          "Accept: */*\r\n"
          "Accept-Encoding: gzip, deflate\r\n"
          "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
          "Proxy-Authorization: Basic cDo=\r\n"
          "Referer: http://there/\r\n"
          "Range: bytes=0-4\r\n"
          "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
          "Content-Type: application/x-www-form-urlencoded\r\n"
          "Content-Length: 3\r\n\r\n");
}

TEST_CASE("a request can continue where an answer broke off") {
    RequestOptions options;
    options.range = "0-4";
    RequestContext context;
    context.resume_at = 100;
    CHECK(has(head_of(options, context), "Range: bytes=100-"));
    CHECK_FALSE(has(head_of(options, context), "Range: bytes=0-4"));
    CHECK(head_of(options, context).find("If-") == std::string::npos);
    context.version = "\"v1\"";
    CHECK(has(head_of(options, context), "If-Range: \"v1\""));
    context.version.clear();
    context.unmodified_since = "then";
    CHECK(has(head_of(options, context), "If-Unmodified-Since: then"));
}

TEST_CASE("a body without a length comes in chunks") {
    RequestOptions options;
    options.upload = "-";
    RequestContext context;
    context.body = RequestBody{nullptr, BodyFraming::chunks};
    CHECK(has(head_of(options, context), "Transfer-Encoding: chunked"));
    context.body = RequestBody{};
    CHECK(has(head_of(options, context), "Content-Length: 0"));
    CHECK(head_of(options, context).find("Content-Type") == std::string::npos);
}

TEST_CASE("a body has one framing, and the user may choose it") {
    const auto framed = [](std::initializer_list<const char*> fields, int version = 11) {
        RequestOptions options = with_fields(fields);
        options.version = version;
        return request_body(options, std::make_shared<TextSource>("abc"));
    };
    CHECK(framed({}).framing == BodyFraming::length);
    CHECK(framed({}).size == 3);
    CHECK(framed({"Content-Length: 3"}).framing == BodyFraming::length);
    CHECK(framed({"transfer-encoding: Chunked"}).framing == BodyFraming::chunks);
    CHECK_FALSE(framed({}).wait_for_100);
    CHECK(framed({"Expect: 100-Continue"}).wait_for_100);
    CHECK_THROWS_AS(framed({"Transfer-Encoding: gzip"}), TransferError);
    CHECK_THROWS_AS(framed({"Transfer-Encoding: chunked"}, 10), TransferError);
    CHECK_THROWS_AS(framed({"Transfer-Encoding: chunked", "Content-Length: 3"}), TransferError);
    for (const char* const length :
         {"Content-Length: 2", "Content-Length: x", "Content-Length: -1"})
        CHECK_THROWS_AS(framed({length}), TransferError);

    RequestOptions options = with_fields({"Transfer-Encoding: chunked"});
    RequestContext context;
    CHECK(head_of(options, context).find("chunked") == std::string::npos); // no body follows
    context.body = framed({"Transfer-Encoding: chunked"});
    const auto head = head_of(options, context);
    CHECK(has(head, "Transfer-Encoding: chunked"));
    CHECK(head.find("Content-Length") == std::string::npos);
}

TEST_CASE("the user's fields replace ours") {
    const auto options =
        with_fields({"accept:", "HOST: other", "X-A: 1", "X-A: 2", "X-Empty;", "X-Not:"});
    CHECK(head_of(options, {}) == "GET /path?query HTTP/1.1\r\n"
                                  "HOST: other\r\nX-A: 1\r\nX-A: 2\r\nX-Empty:\r\n\r\n");
}

TEST_CASE("secrets do not follow a redirect to another origin") {
    const auto options = with_fields(
        {"Host: other", "authorization: Bearer secret", "Cookie: secret", "X-A: 1", "Accept: x"});
    RequestContext context;
    CHECK(head_of(options, context).find("secret") != std::string::npos);
    context.same_origin = false;
    // The user's Host field is not sent. Ours takes its place, because no request may lack the
    // field.
    CHECK(head_of(options, context) ==
          "GET /path?query HTTP/1.1\r\nHost: host\r\nX-A: 1\r\nAccept: x\r\n\r\n");
    context.credentials = Credentials{"a", "b"}; // the login for the other host
    CHECK(has(head_of(options, context), "Authorization: Basic YTpi"));
}

TEST_CASE("the request for a tunnel names the host and the port") {
    CHECK(tunnel_head(Url::parse("https://u:p@host/path"), "", {}) ==
          "CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n");
    CHECK(tunnel_head(Url::parse("https://[::1]:8443/"), "me", Credentials{"a", "b"}) ==
          "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nUser-Agent: me\r\n"
          "Proxy-Authorization: Basic YTpi\r\n\r\n");
}

TEST_CASE("a request has one Host field") {
    RequestOptions options;
    options.fields = {CustomField::parse("Host: a"), CustomField::parse("X: 1"),
                      CustomField::parse("host: b"), CustomField::parse("X: 2")};
    CHECK(head_of(options, {}) ==
          "GET /path?query HTTP/1.1\r\nAccept: */*\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n");
}
