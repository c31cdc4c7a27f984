#include "http/response_parser.h"

#include "core/ascii.h"
#include "http/failure.h"
#include "http/lenient_head.h"

// Otherwise boost::none would be an object with a constructor that runs before main.
#define BOOST_OPTIONAL_USE_OLD_DEFINITION_OF_NONE
// Some of its assertions are wrong: "0\r\n" and one more byte trip one.
#define BOOST_DISABLE_ASSERTS

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <fmt/core.h>
#include <limits>
#include <optional>
#include <utility>

namespace ipcbox::http {

namespace beast = boost::beast;

namespace {

constexpr std::string_view protocol_name = "HTTP/";

// The end of the empty line; nothing when it has not come yet. Lone line feeds also end lines (RFC
// 9112, section 2.2), because many simple servers send no others.
std::optional<std::size_t> end_of_head(std::string_view bytes) {
    for (auto at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
        const auto rest = bytes.substr(at + 1);
        if (rest.starts_with('\n')) return at + 2;
        if (rest.starts_with("\r\n")) return at + 3;
    }
    return std::nullopt;
}

std::string words(const beast::error_code& error) {
    using Grammar = beast::http::error;
    if (error == Grammar::bad_content_length) return "a bad or contradictory Content-Length";
    if (error == Grammar::bad_transfer_encoding) return "a contradictory Transfer-Encoding";
    if (error == Grammar::header_limit)
        return fmt::format("more than {} fields, or more than {} bytes of them",
                           ResponseParser::max_fields, ResponseParser::max_head_bytes);
    return error.message();
}

} // namespace

const std::string* ResponseHead::find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        fields, [name](const Field& field) { return ascii::same_but_for_case(field.name, name); });
    return found == fields.end() ? nullptr : &found->value;
}

bool ResponseHead::is_redirect() const {
    const bool says_so = status == 300 || status == 301 || status == 302 || status == 303 ||
                         status == 307 || status == 308;
    const auto* const location = find("Location");
    return says_so && location != nullptr && !location->empty();
}

class ResponseParser::Grammar : public beast::http::basic_parser<false> {
  public:
    explicit Grammar(ResponseHead& head) : head_(head) {
        header_limit(max_head_bytes);
        body_limit(std::numeric_limits<std::uint64_t>::max());
        eager(false);
    }
    [[nodiscard]] bool has_unknown_coding() const { return has_unknown_coding_; }
    [[nodiscard]] bool has_coding() const { return has_coding_; }

  private:
    using Code = beast::error_code;
    using Text = beast::string_view;
    static std::string copy(Text text) { return {text.data(), text.size()}; }

    void on_request_impl(beast::http::verb /*method*/, Text /*method_text*/, Text /*target*/,
                         int /*version*/, Code& /*error*/) override {}
    void on_response_impl(int status, Text reason, int version, Code& /*error*/) override {
        head_.status = status;
        head_.reason = copy(reason);
        head_.version = version;
    }
    void on_field_impl(beast::http::field name, Text text, Text value, Code& error) override {
        if (name == beast::http::field::transfer_encoding) {
            // We know only "chunked" alone. Beast also takes "gzip, chunked" for chunked.
            const bool is_known = ascii::same_but_for_case({value.data(), value.size()}, "chunked");
            has_unknown_coding_ = has_unknown_coding_ || has_coding_ || !is_known;
            has_coding_ = true;
        }
        // Refuse a second length even if it agrees with the first: mended_head() decides then.
        const bool is_length = name == beast::http::field::content_length;
        const bool is_list = value.find(',') != Text::npos;
        field_bytes_ += text.size() + value.size();
        if (is_length && (std::exchange(has_length_, true) || is_list))
            error = beast::http::error::bad_content_length;
        else if (head_.fields.size() == max_fields || field_bytes_ > max_head_bytes)
            error = beast::http::error::header_limit;
        else
            head_.fields.push_back({copy(text), copy(value)});
    }
    void on_header_impl(Code& /*error*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                           Code& /*error*/) override {}
    std::size_t on_body_impl(Text body, Code& /*error*/) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                              Code& /*error*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*left*/, Text body, Code& /*error*/) override {
        return body.size();
    }
    void on_finish_impl(Code& /*error*/) override {}

    ResponseHead& head_;
    bool has_length_ = false;
    bool has_coding_ = false;
    bool has_unknown_coding_ = false;
    std::size_t field_bytes_ = 0;
};

ResponseParser::ResponseParser(Asked asked) : asked_(asked) {}
ResponseParser::~ResponseParser() = default;

std::size_t ResponseParser::parse_head(std::string_view bytes) {
    std::size_t taken = 0;
    while (!has_head_) {
        const auto size = parse_one_head(bytes.substr(taken));
        taken += size;
        if (size == 0) break;
        // 101 would end HTTP on this connection, but we never ask for another protocol.
        if (head_.status < 200 && head_.status != 101) {
            if (++interim_ > max_interim_responses)
                throw ProtocolError("the server sends too many interim responses");
            continue;
        }
        has_head_ = true;
        head_.bytes = std::move(heads_);
        decide_framing();
    }
    return taken;
}

std::size_t ResponseParser::parse_one_head(std::string_view bytes) {
    const auto begin = bytes.substr(0, protocol_name.size());
    if (begin != protocol_name.substr(0, begin.size()))
        throw ProtocolError("the server does not speak HTTP");
    const auto size = end_of_head(bytes);
    if (size.value_or(bytes.size()) > max_head_bytes)
        throw ProtocolError(fmt::format("the head has more than {} bytes", max_head_bytes));
    if (!size) return 0;

    const auto text = bytes.substr(0, *size);
    if (const auto error = read_head(text); !error.empty()) {
        lenient_ = true;
        const auto still = read_head(mended_head(text));
        if (!still.empty()) throw ProtocolError(still);
    }
    heads_ += text;
    return *size;
}

// Returns the error in the head, or an empty text.
std::string ResponseParser::read_head(std::string_view lines) {
    constexpr std::size_t usual_fields = 16;
    head_ = {};
    head_.fields.reserve(usual_fields);
    grammar_ = std::make_unique<Grammar>(head_);
    grammar_->skip(asked_ != Asked::document);
    beast::error_code error;
    grammar_->put({lines.data(), lines.size()}, error);
    if (error || !grammar_->is_header_done())
        return fmt::format("the head cannot be understood: {}",
                           error ? words(error) : "it ends too early");
    if (grammar_->has_unknown_coding())
        return "the head has a Transfer-Encoding other than chunked";
    return {};
}

void ResponseParser::decide_framing() {
    const int status = head_.status;
    // HTTP/1.0 has no codings, so this framing is faulty and the connection has to end (RFC 9112,
    // section 6.1).
    if (grammar_->has_coding() && head_.version < 11) lenient_ = true;
    length_ = grammar_->content_length().value_or(0);
    const bool has_body =
        asked_ == Asked::document && status >= 200 && status != 204 && status != 304;
    if (!has_body)
        framing_ = Framing::none;
    else if (grammar_->chunked())
        framing_ = Framing::chunked;
    else if (grammar_->content_length())
        framing_ = length_ > 0 ? Framing::length : Framing::none;
    else
        framing_ = Framing::until_close;
    keeps_alive_ = !lenient_ && framing_ != Framing::until_close && grammar_->keep_alive();
}

std::size_t ResponseParser::parse_chunked(std::string_view bytes, const Sink& sink) {
    const auto taken = chunks_.parse(bytes, sink);
    if (!chunks_.is_strict()) keeps_alive_ = false;
    return taken;
}

} // namespace ipcbox::http
