#include "download/request_chain.h"

#include "core/error.h"
#include "http/content_decoder.h"
#include "http/date.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>
#include <utility>

namespace ipcbox::download {

namespace {

// To keep the connection, we read an unwanted body of at most this size. For a longer one, a new
// connection is cheaper.
constexpr std::uint64_t max_unwanted = 256UL * 1024;
// The longest that we wait for an unwanted body.
constexpr Duration unwanted_time = std::chrono::seconds{1};

class Unwanted : public http::BodySink {
  public:
    explicit Unwanted(const std::function<void(std::string_view)>& to,
                      std::unique_ptr<http::ContentDecoder> decoder)
        : to_(to), decoder_(std::move(decoder)) {}
    void write(std::string_view bytes) override {
        if (to_ && decoder_)
            decoder_->decode(bytes, [this](std::string_view content) { show(content); });
        else
            show(bytes);
    }

  private:
    void show(std::string_view bytes) {
        read_ += bytes.size();
        if (read_ > max_unwanted) throw http::TransferError("", http::status::too_large);
        if (to_) to_(bytes);
    }

    const std::function<void(std::string_view)>& to_;
    std::unique_ptr<http::ContentDecoder> decoder_;
    std::uint64_t read_ = 0;
};

} // namespace

void RequestChain::begin(int retries) {
    retries_ = retries;
    url_ = target_.url;
    method_ = http::method_of(options_.request);
    login_.clear();
    challenges_ = 0;
    heads_.clear();
    has_new_head_ = false;
    is_alone_ = false;
    outcome_.head_bytes = outcome_.request_bytes = 0;
    outcome_.redirects = 0;
    outcome_.head.reset();
}

http::Response RequestChain::ask(const Continuation& continuation, Deadline deadline) {
    for (;;) {
        auto response = send(make_request(continuation), deadline);
        if (!follows_redirect() && !answers_challenge() && !drops_expectation() &&
            !sends_withheld_body())
            return response;
        drop_body(response, {}, deadline);
    }
}

bool RequestChain::can_ask_alone() {
    return pipeline_.may_be_our_fault() && !std::exchange(is_alone_, true);
}

http::Response RequestChain::send(const http::Request& request, Deadline deadline) {
    std::span<const http::Request> ahead;
    if (!next_.empty() && pipeline_.looks_ahead(request)) ahead = requests_.ahead(next_);
    outcome_.method = method_;
    outcome_.is_unverified = url_.is_https() && options_.route.tls.insecure;
    auto response = ask_pipeline(request, ahead, deadline);
    outcome_.milestones = response.milestones;
    outcome_.connects += response.milestones.connected != response.milestones.start;
    if (response.milestones.tunnel != 0) outcome_.tunnel = response.milestones.tunnel;
    outcome_.local = response.connection->local();
    outcome_.remote = response.connection->remote();
    outcome_.head_bytes += response.head.bytes.size();
    outcome_.head = std::move(response.head);
    has_new_head_ = true;
    outcome_.url = url_;
    if (options_.on_head) options_.on_head(target_, url_, *outcome_.head);
    return response;
}

// A request counts once it was sent, even if no answer came.
http::Response RequestChain::ask_pipeline(const http::Request& request,
                                          std::span<const http::Request> ahead,
                                          Deadline deadline) try {
    auto response = pipeline_.ask(request, ahead, deadline);
    outcome_.request_bytes += request.head.size();
    return response;
} catch (const http::ConnectionLost& lost) {
    if (!lost.was_before_request()) outcome_.request_bytes += request.head.size();
    throw;
}

std::uint64_t RequestChain::uploaded() const {
    return body_ && method_ == http::method_of(options_.request) ? body_->taken() : 0;
}

http::Request RequestChain::make_request(const Continuation& continuation) {
    const bool is_first = outcome_.redirects == 0 && retries_ == 0 && continuation.at == 0 &&
                          login_.empty() && !is_alone_ && !expects_nothing_;
    auto made = requests_.take(target_);
    if (is_first && made) return std::move(*made);
    http::RequestContext context;
    context.method = method_;
    context.resume_at = continuation.at;
    context.fields = login_;
    context.expects_nothing = expects_nothing_;
    if (continuation.unmodified_since)
        context.unmodified_since = http::http_date(*continuation.unmodified_since);
    else if (continuation.at > 0)
        context.version = continuation.version.validator();
    const auto& wanted = options_.request;
    withholds_body_ = false;
    if (wanted.has_body() && method_ == http::method_of(wanted)) {
        if (!body_) body_ = body_for(wanted);
        body_->restart();
        withholds_body_ = should_withhold_body();
        static constexpr auto nothing = std::string_view{};
        context.body = http::request_body(
            wanted, withholds_body_ ? std::make_shared<http::TextSource>(nothing) : body_);
        if (expects_nothing_) context.body->wait_for_100 = false;
    }
    auto request = request_for(options_, target_, url_, std::move(context));
    if (!is_first) request.may_wait_in_line = false;
    request.alone = request.alone || is_alone_;
    return request;
}

// Follows the redirect of the answer. False when there is none, or the user does not want to follow
// it.
bool RequestChain::follows_redirect() {
    const auto& head = *outcome_.head;
    if (!options_.max_redirects || !head.is_redirect()) return false;
    if (outcome_.redirects == *options_.max_redirects)
        throw http::TransferError(fmt::format("more than {} redirects", *options_.max_redirects),
                                  http::status::too_many_redirects);
    http::Url to;
    try {
        to = url_.resolve(*head.find("Location"));
    } catch (const http::OtherScheme&) {
        throw http::TransferError(fmt::format("redirected to {}: only http and https are supported",
                                              *head.find("Location")),
                                  http::status::protocol_not_allowed);
    } catch (const std::invalid_argument& wrong) {
        throw http::TransferError(fmt::format("redirected to an invalid URL: {}", wrong.what()),
                                  http::status::malformed_url);
    }
    options_.check_redirect(url_, to);
    heads_ = preface();
    method_ = http::method_after_redirect(method_, head.status);
    url_ = std::move(to);
    login_.clear();
    challenges_ = 0;
    needs_no_login_ = false;
    ++outcome_.redirects;
    return true;
}

// Whether to ask once more, with a login in the form that the server wants.
bool RequestChain::answers_challenge() {
    const auto& head = *outcome_.head;
    if (head.status != 401 || !options_.answer_challenge) return false;
    auto field = options_.answer_challenge(target_, url_, method_, head, challenges_);
    if (!field) return false;
    ++challenges_;
    login_.clear();
    heads_ = preface();
    login_.push_back(std::move(*field));
    return true;
}

bool RequestChain::shows_heads() const {
    return options_.include_head || options_.request.head_only;
}

// If the server does not know "Expect: 100-continue", asks again without it (RFC 9110, section
// 10.1.1).
bool RequestChain::drops_expectation() {
    constexpr int expectation_failed = 417;
    return outcome_.head->status == expectation_failed &&
           http::users_field(options_.request, "Expect") != nullptr &&
           !std::exchange(expects_nothing_, true);
}

// Whether the server will ask for a login before it takes the body, and the body can be read only
// once. Like curl, we ask without it then.
bool RequestChain::should_withhold_body() const {
    return options_.answer_challenge && challenges_ == 0 && !needs_no_login_ && !body_->length() &&
           http::users_field(options_.request, "Content-Length") == nullptr &&
           http::login_for(options_.login, target_.url, url_).has_value();
}

// The server wanted no login after all.
bool RequestChain::sends_withheld_body() {
    if (!std::exchange(withholds_body_, false) || outcome_.head->status >= 300) return false;
    needs_no_login_ = true;
    heads_ = preface();
    return true;
}

std::string RequestChain::preface() {
    auto heads = std::exchange(heads_, {});
    if (std::exchange(has_new_head_, false) && shows_heads()) heads += outcome_.head->bytes;
    return heads;
}

void RequestChain::drop_body(http::Response& response,
                             const std::function<void(std::string_view)>& to, Deadline deadline) {
    // Without a length, only a close ends the body, and the server may never close.
    if (!to && !response.connection->knows_end_of_body()) return response.connection->retire();
    const auto patience = to ? deadline : std::min(deadline, Deadline::after(unwanted_time));
    try {
        Unwanted sink{to, to && options_.request.compressed
                              ? http::decoder_for(http::codings_of(*outcome_.head))
                              : nullptr};
        response.connection->read_body(sink, patience);
    } catch (const TimedOut&) {
        if (to || deadline.passed()) throw;
        response.connection->retire();
    } catch (const SysError&) {
        throw;
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): nobody wants the body
    }
}

} // namespace ipcbox::download
