#include "download/requests.h"

#include "download/upload.h"

#include <algorithm>

namespace ipcbox::download {

namespace {

// At most this many requests are ready. We make more when half of them are left, which still fills
// the pipeline.
constexpr std::size_t batch = 2 * http::Pipeline::max_depth;

} // namespace

std::shared_ptr<http::BodySource> body_for(const http::RequestOptions& options) {
    if (options.make_body) return options.make_body();
    if (options.body) return std::make_shared<http::TextSource>(*options.body);
    if (options.upload) return std::make_shared<Upload>(*options.upload);
    return nullptr;
}

http::Request request_for(const DownloadOptions& options, const Target& target,
                          const http::Url& url, http::RequestContext context) {
    http::Request request;
    request.route = http::route_to(url, options.route);
    request.way = request.route.key();
    context.same_origin = options.login.trusts_redirects || url.same_origin(target.url);
    context.through_proxy = request.route.forwards();
    if (context.through_proxy) context.proxy_credentials = request.route.proxy->credentials;
    if (options.login_scheme == DownloadOptions::LoginScheme::basic)
        context.credentials = http::login_for(options.login, target.url, url);
    if (options.more_fields) {
        auto fields = options.more_fields(url);
        context.fields.insert(context.fields.end(), fields.begin(), fields.end());
    }
    request.head = http::request_head(options.request, url, context);
    request.asked = context.method == "HEAD" || options.request.head_only
                        ? http::ResponseParser::Asked::head
                        : http::ResponseParser::Asked::document;
    request.leaves_body = options.request.head_only && context.method != "HEAD";
    request.idempotent = http::is_idempotent(context.method);
    request.alone = options.request.version == 10;
    request.may_wait_in_line = options.pipelining && !request.alone && !request.leaves_body &&
                               !context.body && !options.resume &&
                               (context.method == "GET" || context.method == "HEAD");
    if (context.body) request.body = std::move(*context.body);
    return request;
}

std::string first_request(const DownloadOptions& options, const Target& target) {
    http::RequestContext context;
    context.method = http::method_of(options.request);
    if (const auto source = body_for(options.request))
        context.body = http::request_body(options.request, source);
    const bool is_chunked = context.body && context.body->framing == http::BodyFraming::chunks;
    const auto& body = options.request.body;
    return request_for(options, target, target.url, std::move(context)).head +
           (body && !is_chunked ? *body : "");
}

std::span<const http::Request> RequestQueue::ahead(std::span<const Target> targets) {
    const auto there = requests_.size() - taken_;
    if (there < batch / 2 && there < targets.size()) {
        const auto taken = static_cast<std::ptrdiff_t>(std::exchange(taken_, 0));
        requests_.erase(requests_.begin(), requests_.begin() + taken);
        numbers_.erase(numbers_.begin(), numbers_.begin() + taken);
        for (const auto& target : targets.subspan(there)) {
            if (requests_.size() == batch) break;
            http::RequestContext context;
            context.method = http::method_of(options_.request);
            requests_.push_back(request_for(options_, target, target.url, std::move(context)));
            numbers_.push_back(target.number);
        }
    }
    return std::span{requests_}.subspan(taken_);
}

std::optional<http::Request> RequestQueue::take(const Target& target) {
    while (taken_ < numbers_.size() && numbers_[taken_] < target.number)
        ++taken_;
    if (taken_ == numbers_.size() || numbers_[taken_] != target.number) return std::nullopt;
    return std::move(requests_[taken_++]);
}

} // namespace ipcbox::download
