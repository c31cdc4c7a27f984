#include "download/download.h"

#include "core/io.h"
#include "core/poll.h"
#include "download/destination.h"
#include "download/resumption.h"
#include "download/upload.h"
#include "http/date.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::download {

namespace {

using Clock = Deadline::Clock;
using namespace std::chrono_literals;

// What is read of a body that nobody wants, to keep the connection; a longer one is cheaper cut
// off.
constexpr std::uint64_t most_unwanted = 256UL * 1024;
constexpr std::size_t piece_size = 128UL * 1024;
// curl's: a second, twice as long each time, up to ten minutes.
constexpr Duration first_pause = 1s;
constexpr Duration longest_pause = 10min;

// Another attempt may go better (as curl --retry has it).
bool is_transient(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

// Of a body that is not the document: so much and no more.
class Unwanted : public http::BodySink {
  public:
    explicit Unwanted(std::function<void(std::string_view)> to) : to_(std::move(to)) {}
    void write(std::string_view bytes) override {
        read_ += bytes.size();
        if (read_ > most_unwanted) throw http::TransferError("", http::status::too_large);
        if (to_) to_(bytes);
    }

  private:
    std::function<void(std::string_view)> to_;
    std::uint64_t read_ = 0;
};

} // namespace

// One target, over all attempts at it.
class Downloader::Transfer {
  public:
    Transfer(Downloader& owner, const Target& target, const Next& next)
        : owner_(owner), options_(owner.options_), target_(target), next_(next) {
        outcome_.url = target.url;
    }

    [[nodiscard]] Outcome run() {
        outcome_.began = Clock::now();
        const auto limit = Deadline::after_or_never(options_.retry_limit);
        for (;;) {
            transient_ = false;
            may_retry_ = outcome_.retries < options_.retries && !limit.passed();
            try_once();
            const auto pause = next_pause();
            if (!transient_ || !may_retry_ || limit < Deadline::after(pause)) break;
            ++outcome_.retries;
            (void)poll_until({}, Deadline::after(pause));
        }
        outcome_.ended = Clock::now();
        return std::move(outcome_);
    }

    [[nodiscard]] static http::Request request_for(const DownloadOptions& options,
                                                   const Target& target, const http::Url& url,
                                                   http::RequestContext context);

  private:
    enum class Verdict { done, again };

    void try_once();
    void attempt();
    [[nodiscard]] const http::Request* prepare(std::size_t position);
    [[nodiscard]] http::Request next_request(const http::Url& url, const std::string& method);
    void prepare_resume();
    [[nodiscard]] std::optional<http::Url> redirected(const http::ResponseHead& head,
                                                      const http::Url& from) const;
    [[nodiscard]] bool is_unchanged(const http::ResponseHead& head) const;
    [[nodiscard]] Verdict receive(http::Response& response);
    [[nodiscard]] Verdict start_over(http::Response& response);
    void accept(http::Response& response, std::uint64_t already);
    void refuse(http::Response& response);
    void deliver(http::Response& response, Destination& destination, http::Coding coding,
                 std::uint64_t already);
    void prepare_digests(std::uint64_t already);
    void verify();
    void drop_body(http::Response& response, const std::function<void(std::string_view)>& to);
    [[nodiscard]] Duration next_pause() const;
    [[nodiscard]] bool to_output() const { return target_.file.empty(); }

    Downloader& owner_;
    const DownloadOptions& options_;
    const Target& target_;
    const Next& next_;
    Outcome outcome_;
    Deadline deadline_ = Deadline::never();
    bool transient_ = false;
    bool may_retry_ = false;

    std::optional<PartFile> part_;
    ExistingFile existing_;
    std::uint64_t written_ = 0; // to standard output
    std::string version_;       // of that
    std::uint64_t resume_at_ = 0;
    bool resumes_existing_ = false;
    bool must_start_over_ = false;
    std::optional<http::Digest> sum_;    // for the target's checksum
    std::optional<http::Digest> sha256_; // for the outcome
    std::uint64_t digested_ = 0;         // bytes of the document that both have seen
};

http::Request Downloader::Transfer::request_for(const DownloadOptions& options,
                                                const Target& target, const http::Url& url,
                                                http::RequestContext context) {
    http::Request request;
    request.route = http::route_to(url, options.route);
    request.way = request.route.key();
    context.same_origin = url.same_origin(target.url);
    context.through_proxy = request.route.forwards();
    if (context.through_proxy) context.proxy_credentials = request.route.proxy->credentials;
    context.credentials = url.credentials;
    if (!context.credentials && context.same_origin)
        context.credentials = options.request.credentials;
    if (!context.credentials && options.credentials) context.credentials = options.credentials(url);
    request.head = http::request_head(options.request, url, context);
    request.asked = context.method == "HEAD" ? http::ResponseParser::Asked::head
                                             : http::ResponseParser::Asked::document;
    request.idempotent = http::is_idempotent(context.method);
    request.alone = options.request.version == 10;
    request.may_wait_in_line = options.pipelining && !request.alone && !context.has_body &&
                               !options.resume &&
                               (context.method == "GET" || context.method == "HEAD");
    return request;
}

void Downloader::Transfer::try_once() {
    deadline_ = Deadline::after_or_never(options_.time_limit);
    outcome_.error.clear();
    outcome_.status = 0;
    const auto failed = [this](const Error& error, int status) {
        outcome_.error = error.what();
        outcome_.status = status;
    };
    try {
        attempt();
    } catch (const http::ConnectionLost& lost) {
        transient_ = http::is_idempotent(http::method_of(options_.request));
        failed(lost, lost.status());
    } catch (const http::TransferError& error) {
        transient_ = error.status() == http::status::cannot_connect ||
                     error.status() == http::status::cannot_resolve;
        failed(error, error.status());
    } catch (const net::TlsError& error) {
        failed(error, error.curl_status());
    } catch (const TimedOut& error) {
        transient_ = http::is_idempotent(http::method_of(options_.request));
        failed(error, http::status::timed_out);
    } catch (const SysError& error) {
        failed(error, http::status::cannot_write);
    } catch (const Error& error) {
        failed(error, error.status());
    }
}

Duration Downloader::Transfer::next_pause() const {
    if (const auto* wish = outcome_.head ? outcome_.head->find("Retry-After") : nullptr;
        wish != nullptr && is_transient(outcome_.head->status))
        if (const auto pause = http::parse_retry_after(*wish, std::time(nullptr))) return *pause;
    if (options_.retry_pause) return *options_.retry_pause;
    Duration pause = first_pause;
    for (int attempt = 0; attempt < outcome_.retries && pause < longest_pause; ++attempt)
        pause *= 2;
    return std::min(pause, longest_pause);
}

void Downloader::Transfer::attempt() {
    if (!to_output() && !part_) {
        existing_ = look_at(target_.file);
        const bool takes_up = options_.resume && !options_.include_head;
        if (existing_.kind != ExistingFile::Kind::special)
            part_.emplace(target_.file, target_.url.text(),
                          takes_up ? PartFile::Leftover::take_up : PartFile::Leftover::discard);
    }
    http::Url url = target_.url;
    auto method = http::method_of(options_.request);
    for (outcome_.redirects = 0;;) {
        prepare_resume();
        const auto request = next_request(url, method);
        outcome_.head.reset();
        auto response = owner_.pipeline_.ask(
            request, [this](std::size_t position) { return prepare(position); }, deadline_);
        outcome_.milestones = response.milestones;
        outcome_.head = std::move(response.head);
        outcome_.url = url;
        if (const auto next = redirected(*outcome_.head, url)) {
            drop_body(response, {});
            method = http::method_after_redirect(method, outcome_.head->status);
            url = *next;
            ++outcome_.redirects;
            continue;
        }
        if (receive(response) == Verdict::done) return;
    }
}

// The request for the target that is so far behind this one, to be sent ahead.
const http::Request* Downloader::Transfer::prepare(std::size_t position) {
    const Target* next = next_ ? next_(position) : nullptr;
    if (next == nullptr) return nullptr;
    http::RequestContext context;
    context.method = http::method_of(options_.request);
    owner_.prepared_.emplace_back(next->number,
                                  request_for(options_, *next, next->url, std::move(context)));
    return &owner_.prepared_.back().second;
}

http::Request Downloader::Transfer::next_request(const http::Url& url, const std::string& method) {
    auto& prepared = owner_.prepared_;
    while (!prepared.empty() && prepared.front().first < target_.number)
        prepared.pop_front();
    const bool is_first = outcome_.redirects == 0 && outcome_.retries == 0 && resume_at_ == 0;
    if (is_first && !prepared.empty() && prepared.front().first == target_.number) {
        auto request = std::move(prepared.front().second);
        prepared.pop_front();
        return request;
    }
    http::RequestContext context;
    context.method = method;
    context.resume_at = resume_at_;
    if (resumes_existing_)
        context.unmodified_since = http::http_date(existing_.modified);
    else if (resume_at_ > 0)
        context.version = part_ ? part_->version() : version_;
    const auto& wanted = options_.request;
    context.has_body = wanted.has_body() && method == http::method_of(wanted);
    std::function<bool(http::Connection&, Deadline)> send_body;
    if (context.has_body && wanted.body) {
        context.body_length = wanted.body->size();
        send_body = [&wanted](http::Connection& connection, Deadline deadline) {
            return connection.send(*wanted.body, deadline);
        };
    } else if (context.has_body) {
        if (*wanted.upload == "-" && (outcome_.retries > 0 || outcome_.redirects > 0))
            throw http::TransferError("standard input was sent already, and cannot be read again",
                                      http::status::cannot_send);
        const auto upload = std::make_shared<Upload>(*wanted.upload);
        context.body_length = upload->length();
        send_body = [upload](http::Connection& connection, Deadline deadline) {
            return upload->send(connection, deadline);
        };
    }
    auto request = request_for(options_, target_, url, std::move(context));
    request.send_body = std::move(send_body);
    if (resume_at_ > 0 || outcome_.redirects > 0) request.may_wait_in_line = false;
    return request;
}

void Downloader::Transfer::prepare_resume() {
    resume_at_ = 0;
    resumes_existing_ = false;
    if (must_start_over_) return;
    if (to_output()) {
        if (!version_.empty()) resume_at_ = written_;
    } else if (part_ && part_->size() > 0 && !part_->version().empty()) {
        resume_at_ = part_->size();
    } else if (part_ && options_.resume && existing_.kind == ExistingFile::Kind::regular) {
        resume_at_ = existing_.size;
        resumes_existing_ = resume_at_ > 0;
    }
}

std::optional<http::Url> Downloader::Transfer::redirected(const http::ResponseHead& head,
                                                          const http::Url& from) const {
    if (!options_.most_redirects || !head.is_redirect()) return std::nullopt;
    if (outcome_.redirects == *options_.most_redirects)
        throw http::TransferError(fmt::format("more than {} redirects", *options_.most_redirects),
                                  http::status::too_many_redirects);
    http::Url to;
    try {
        to = from.resolve(*head.find("Location"));
    } catch (const std::invalid_argument& wrong) {
        throw http::TransferError(fmt::format("redirected to what is no URL: {}", wrong.what()),
                                  http::status::malformed_url);
    }
    if (from.is_https() && !to.is_https())
        throw http::TransferError(
            fmt::format("redirected to {}, where everybody could read along", to.text()),
            http::status::malformed_url);
    return to;
}

void Downloader::Transfer::drop_body(http::Response& response,
                                     const std::function<void(std::string_view)>& to) {
    Unwanted sink{to};
    try {
        response.connection->read_body(sink, deadline_);
    } catch (const http::TransferError&) { // NOLINT(bugprone-empty-catch): it is not wanted anyway
    }
}

// A server may compare dates for equality only (nginx does), and send what is not newer at all.
bool Downloader::Transfer::is_unchanged(const http::ResponseHead& head) const {
    const auto& limit = options_.request.newer_than;
    const auto* date = head.find("Last-Modified");
    if (!limit || date == nullptr || head.status != 200) return false;
    const auto modified = http::parse_http_date(*date, std::time(nullptr));
    return modified && *modified <= *limit;
}

Downloader::Transfer::Verdict Downloader::Transfer::receive(http::Response& response) {
    const auto& head = *outcome_.head;
    if (head.status == 304) return Verdict::done;
    if (is_unchanged(head)) {
        drop_body(response, {});
        return Verdict::done;
    }
    if (resume_at_ > 0) {
        const auto range = content_range(head);
        if (head.status == 416 && range.size == resume_at_) {
            // All of it is there.
            outcome_.resumed_at = resume_at_;
            drop_body(response, {});
            if (part_ && !resumes_existing_) part_->finish();
            if (part_ && resumes_existing_) part_->discard();
            return Verdict::done;
        }
        const bool same = !resumes_existing_ || head.find("Last-Modified") != nullptr;
        if (head.status == 416 || head.status == 412 ||
            (head.status == 206 && (range.first != resume_at_ || !same)))
            return start_over(response);
        if (head.status == 206) {
            if (resumes_existing_) part_->continue_existing(version_of(head));
            outcome_.resumed_at = resume_at_;
            accept(response, resume_at_);
            return Verdict::done;
        }
    }
    const bool followed_by_user =
        head.is_redirect() && !options_.include_head && !options_.request.head_only;
    if (head.status >= 400 || followed_by_user)
        refuse(response);
    else
        accept(response, 0);
    return Verdict::done;
}

Downloader::Transfer::Verdict Downloader::Transfer::start_over(http::Response& response) {
    drop_body(response, {});
    must_start_over_ = true;
    return Verdict::again;
}

// What came is not what was asked for.
void Downloader::Transfer::refuse(http::Response& response) {
    const auto& head = *outcome_.head;
    outcome_.status = http::status::http_error;
    outcome_.error = fmt::format("{} {}", head.status, head.reason);
    if (head.is_redirect())
        outcome_.error += fmt::format(": it is at {} (-L goes there)", *head.find("Location"));
    transient_ = is_transient(head.status);
    using Body = DownloadOptions::ErrorBody;
    if ((transient_ && may_retry_) || options_.error_body == Body::drop)
        drop_body(response, {});
    else if (options_.error_body == Body::as_document && to_output())
        accept(response, 0);
    else
        drop_body(response, options_.aside);
}

void Downloader::Transfer::accept(http::Response& response, std::uint64_t already) {
    const auto& head = *outcome_.head;
    http::Coding coding = http::Coding::identity;
    if (const auto* name = head.find("Content-Encoding");
        name != nullptr && options_.request.compressed) {
        const auto known = http::coding_named(*name);
        if (!known)
            throw http::TransferError(
                fmt::format("the document is encoded as {}, which nobody asked for", *name),
                http::status::bad_encoding);
        coding = *known;
    }
    const bool with_head = already == 0 && (options_.include_head || options_.request.head_only);
    // Whether what breaks off can be taken up again: these are the bytes that the version is about.
    const bool is_plain = coding == http::Coding::identity && !with_head &&
                          !options_.request.range && http::method_of(options_.request) == "GET" &&
                          (head.status == 200 || head.status == 206);
    const auto version = is_plain ? version_of(head) : std::string{};
    if (options_.receive.most_bytes &&
        response.connection->body_length().value_or(0) + already > *options_.receive.most_bytes)
        throw http::TransferError(
            fmt::format("the document has more than {} bytes", *options_.receive.most_bytes),
            http::status::too_large);
    if (options_.drop_documents && to_output()) {
        ToNowhere nowhere;
        return deliver(response, nowhere, coding, already);
    }
    if (to_output()) {
        if (already == 0 && written_ > 0)
            throw http::TransferError(
                "cannot begin anew: standard output has its first bytes already",
                http::status::cannot_resume);
        ToOutput output{owner_.output_, target_.number,
                        options_.make_visible ? options_.make_visible() : nullptr, written_,
                        deadline_};
        if (with_head) output.write(head.bytes);
        version_ = version;
        return deliver(response, output, coding, already);
    }
    if (!part_) {
        ToSpecial special{target_.file};
        return deliver(response, special, coding, already);
    }
    if (already == 0) part_->restart(version);
    ToPart to_part{*part_};
    if (with_head) to_part.write(head.bytes);
    deliver(response, to_part, coding, already);
    part_->finish();
    part_.reset();
}

void Downloader::Transfer::deliver(http::Response& response, Destination& destination,
                                   http::Coding coding, std::uint64_t already) {
    prepare_digests(already);
    std::vector<http::Digest*> digests;
    for (auto* digest : {&sum_, &sha256_})
        if (*digest) digests.push_back(&**digest);
    const auto length = response.connection->body_length();
    if (owner_.progress_ != nullptr)
        owner_.progress_->begin(target_.number, to_output() ? target_.url.text() : target_.file,
                                coding == http::Coding::identity && length
                                    ? std::optional{*length + already}
                                    : std::nullopt,
                                already);
    Receiver receiver{destination, coding,           std::move(digests), options_.receive,
                      already,     owner_.progress_, target_.number,     deadline_};
    const auto account = [&] {
        outcome_.bytes = receiver.bytes();
        digested_ = already + receiver.bytes();
        if (owner_.progress_ != nullptr) owner_.progress_->end(target_.number);
    };
    try {
        response.connection->read_body(receiver, deadline_);
        receiver.finish();
    } catch (...) {
        account();
        throw;
    }
    account();
    verify();
}

// They have to have seen what is there already.
void Downloader::Transfer::prepare_digests(std::uint64_t already) {
    if (already > 0 && already == digested_) return;
    sum_.reset();
    sha256_.reset();
    if (target_.checksum) sum_.emplace(target_.checksum->algorithm);
    if (options_.receive.hash) sha256_.emplace("sha256");
    if (already == 0 || !part_ || !(sum_ || sha256_)) return;
    const Fd file = open_file(part_->part_name(), O_RDONLY);
    std::vector<std::byte> piece(piece_size);
    for (auto left = already; left > 0;) {
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left));
        const auto got = read_exact(file.get(), std::span{piece}.first(most), part_->part_name());
        const std::string_view bytes{reinterpret_cast<const char*>(piece.data()), got};
        for (auto* digest : {&sum_, &sha256_})
            if (*digest) (*digest)->update(bytes);
        if (got < most) break;
        left -= got;
    }
}

void Downloader::Transfer::verify() {
    if (sha256_) outcome_.sha256 = sha256_->hex();
    if (!sum_) return;
    const auto hex = sum_->hex();
    if (hex == target_.checksum->hex) return;
    if (part_) part_->discard();
    part_.reset();
    throw http::TransferError(fmt::format("the document is not the right one: its {} is {}, not {}",
                                          target_.checksum->algorithm, hex, target_.checksum->hex),
                              http::status::bad_checksum);
}

Downloader::Downloader(const DownloadOptions& options, OrderedOutput& output, Progress* progress)
    : options_(options), output_(output), progress_(progress), pipeline_(options.route) {
    pipeline_.set_before_wait([this] { (void)output_.flush(number_, Deadline::never()); });
}

Outcome Downloader::fetch(const Target& target, const Next& next) {
    number_ = target.number;
    return Transfer{*this, target, next}.run();
}

std::string Downloader::first_request(const Target& target) const {
    http::RequestContext context;
    context.method = http::method_of(options_.request);
    const auto& wanted = options_.request;
    context.has_body = wanted.has_body();
    if (wanted.body)
        context.body_length = wanted.body->size();
    else if (wanted.upload && *wanted.upload != "-")
        context.body_length = look_at(*wanted.upload).size;
    return Transfer::request_for(options_, target, target.url, std::move(context)).head +
           wanted.body.value_or("");
}

} // namespace ipcbox::download
