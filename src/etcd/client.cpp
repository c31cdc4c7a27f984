#include "etcd/client.h"

#include "core/poll.h"
#include "etcd/protobuf.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::etcd {

namespace {

Deadline now() {
    return Deadline::after(Duration::zero());
}

// grpc/doc/PROTOCOL-HTTP2.md: at most eight digits, here of milliseconds.
std::string grpc_timeout(Deadline end) {
    constexpr std::int64_t max_ms = 99'999'999;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end.remaining()).count();
    return fmt::format("{}m", std::clamp<std::int64_t>(left, 1, max_ms));
}

// A lost answer to the first attempt can have granted no less than this.
std::string granted(const std::string& request) {
    return ProtobufWriter{}.number(3, number_in(request, 1)).bytes();
}

} // namespace

Client::Client(const Access& access)
    : user_(access.user), password_(access.password), link_(access) {}

CallId Client::start_call(std::string_view path, std::string request, Deadline deadline) {
    calls_.emplace(++last_id_, Call{{path, std::move(request)}, deadline});
    return last_id_;
}

FinishedCall Client::finish(CallId id) {
    for (;;) {
        const auto found = std::ranges::find(finished_, id, &FinishedCall::id);
        if (found != finished_.end()) {
            auto finished = std::move(*found);
            finished_.erase(found);
            if (finished.error) throw CallError{*std::move(finished.error)};
            return finished;
        }
        if (!calls_.contains(id)) throw Error("there is no such call");
        wait(Deadline::never());
    }
}

void Client::abandon(CallId id) {
    std::erase_if(finished_, [id](const FinishedCall& call) { return call.id == id; });
    const auto call = calls_.find(id);
    if (call == calls_.end()) return;
    if (call->second.stream != 0) link_.connection().cancel(call->second.stream);
    calls_.erase(call);
}

std::optional<FinishedCall> Client::next_finished() {
    if (finished_.empty()) return std::nullopt;
    std::optional<FinishedCall> finished{std::move(finished_.front())};
    finished_.pop_front();
    return finished;
}

void Client::wait(Deadline deadline) {
    auto entries = poll_entries();
    (void)poll_until(entries, std::min(deadline, next_moment()));
    work();
}

bool Client::has_unsent() const {
    const auto is_unsent = [](const auto& entry) { return entry.second.stream == 0; };
    if (wants_login()) return login_ == 0 || calls_.at(login_).stream == 0;
    return std::ranges::any_of(calls_, is_unsent) || std::ranges::any_of(watches_, is_unsent);
}

Deadline Client::next_moment() const {
    auto moment = Deadline::never();
    for (const auto& [id, call] : calls_)
        moment = std::min({moment, call.deadline, call.attempt_end});
    for (const auto& [id, watch] : watches_)
        moment = std::min(moment, watch.attempt_end);
    const bool has_work = !calls_.empty() || !watches_.empty();
    if (!has_work) return moment;
    if (link_.is_ready() && has_unsent()) return now();
    return std::min(moment, link_.next_moment());
}

void Client::work() {
    link_.work();
    if (link_.has_connection()) hear();
    if (link_.give_up_on_broken()) lose_streams();
    if (member_problem_)
        fail_member(*std::exchange(member_problem_, std::nullopt), MemberLink::Keep::yes);
    expire();
    if (link_.is_hopeless())
        give_up_all(
            {CallError::Kind::refused, fmt::format("cannot use etcd: {}", link_.problems())});
    if (calls_.empty() && watches_.empty()) return;
    link_.connect_if_due();
    if (!link_.is_ready()) return;
    send_all();
    // Do not call work() here: nobody would hear what it receives, and the descriptor would not
    // report it again.
    link_.flush();
}

void Client::hear() {
    while (auto event = link_.connection().next()) {
        const auto has_stream = [&event](const auto& entry) {
            return entry.second.stream == event->stream;
        };
        const bool has_ended = event->kind == GrpcConnection::Event::Kind::ended;
        if (const auto call = std::ranges::find_if(calls_, has_stream); call != calls_.end()) {
            if (has_ended)
                end_call(call, event->status);
            else
                call->second.answer = std::move(event->message);
            continue;
        }
        const auto watch = std::ranges::find_if(watches_, has_stream);
        if (watch == watches_.end()) continue;
        if (has_ended)
            end_watch(watch, event->status);
        else
            hear_watch(watch, event->message);
    }
}

// Whether to send the request once more, with a new token. If so, forgets the old token.
bool Client::logs_in_again(Asked& asked, const GrpcStatus& status) {
    if (user_.empty() || has_no_logins_ || asked.has_new_token) return false;
    if (asked.path == Authenticate::path || !wants_new_token(status)) return false;
    asked.has_new_token = true;
    asked.stream = 0;
    asked.attempt_end = Deadline::never();
    if (token_ == asked.token) token_.clear();
    return true;
}

void Client::end_call(Calls::iterator at, const GrpcStatus& status) {
    auto& call = at->second;
    call.attempt_end = Deadline::never();
    const bool is_open = link_.connection().is_open();
    if (status.code == GrpcCode::ok && !call.answer.empty()) {
        link_.succeed();
        return finish_call(at, std::nullopt);
    }
    if (call.path == LeaseGrant::path && says_lease_exists(status)) {
        call.answer = granted(call.request);
        return finish_call(at, std::nullopt);
    }
    if (call.path == Authenticate::path && says_no_logins(status)) {
        has_no_logins_ = true;
        return finish_call(at, std::nullopt);
    }
    if (logs_in_again(call, status)) return;
    if (status.code == GrpcCode::ok || kind_of(status) == CallError::Kind::unavailable ||
        status.is_hopeless) {
        call.stream = 0;
        call.answer.clear();
        if (!is_open) return;
        member_problem_ = status;
        if (status.code == GrpcCode::ok) member_problem_->message = "no answer";
        return;
    }
    link_.succeed();
    finish_call(at, error_for(status, user_));
}

void Client::finish_call(Calls::iterator at, std::optional<CallError> error) {
    FinishedCall finished{at->first, std::move(at->second.answer), std::move(error),
                          at->second.attempts > 1};
    calls_.erase(at);
    if (finished.id != login_) {
        finished_.push_back(std::move(finished));
        return;
    }
    login_ = 0;
    if (finished.error)
        give_up_all(*finished.error);
    else if (!has_no_logins_)
        token_ = Authenticate::Answer::decode(finished.answer).token;
}

void Client::expire() {
    const auto is_silent = [](const Asked& asked) {
        return asked.stream != 0 && asked.attempt_end.passed();
    };
    bool is_member_silent = false;
    for (auto at = calls_.begin(); at != calls_.end();) {
        const auto call = at++;
        if (call->second.deadline.passed()) {
            if (call->second.stream != 0) link_.connection().cancel(call->second.stream);
            const auto problems = link_.problems();
            finish_call(call, CallError{CallError::Kind::unavailable,
                                        fmt::format("cannot reach etcd: {}",
                                                    problems.empty() ? "no answer" : problems)});
        } else {
            is_member_silent |= is_silent(call->second);
        }
    }
    for (const auto& [id, watch] : watches_)
        is_member_silent |= is_silent(watch);
    if (is_member_silent) fail_member(unavailable("no answer"), MemberLink::Keep::no);
}

// Goes on to the next member, because this one gives no answer, or no useful one.
void Client::fail_member(const GrpcStatus& why, MemberLink::Keep keep) {
    link_.fail(why, keep);
    if (!link_.has_connection()) lose_streams();
}

// Handles the streams of a connection that is gone.
void Client::lose_streams() {
    const auto reason = "the connection was lost: " + link_.problems();
    for (auto& [id, call] : calls_) {
        call.stream = 0;
        call.attempt_end = Deadline::never();
        call.answer.clear();
    }
    for (auto at = watches_.begin(); at != watches_.end();) {
        const auto watch = at++;
        if (watch->second.stream == 0) continue;
        events_.push_back({WatchEvent::Kind::lost, watch->first, {}, reason});
        watches_.erase(watch);
    }
}

void Client::give_up_all(const CallError& error) {
    for (auto at = calls_.begin(); at != calls_.end();) {
        const auto call = at++;
        if (call->second.stream != 0) link_.connection().cancel(call->second.stream);
        if (call->first == login_) login_ = 0;
        finished_.push_back({call->first, {}, error, call->second.attempts > 1});
        calls_.erase(call);
    }
    for (const auto& [id, watch] : watches_) {
        if (watch.stream != 0) link_.connection().cancel(watch.stream);
        events_.push_back({WatchEvent::Kind::lost,
                           id,
                           {},
                           error.what(),
                           error.kind() == CallError::Kind::denied});
    }
    watches_.clear();
}

bool Client::wants_login() const {
    return !user_.empty() && token_.empty() && !has_no_logins_;
}

void Client::send_all() {
    if (wants_login() && login_ == 0)
        login_ = start(Authenticate{user_, password_}, Deadline::never());
    for (auto& [id, call] : calls_) {
        if (call.stream != 0 || (wants_login() && id != login_)) continue;
        call.attempt_end = Deadline::after(link_.patience(call.attempts++));
        send(call, std::min(call.attempt_end, call.deadline));
    }
    if (wants_login()) return;
    // The caller arms a lost watch again, as a new one, so we cannot double its time each time.
    constexpr unsigned doublings = 4;
    for (auto& [id, watch] : watches_) {
        if (watch.stream != 0) continue;
        watch.attempt_end = Deadline::after(link_.patience(doublings));
        send(watch, std::nullopt);
    }
}

void Client::send(Asked& asked, std::optional<Deadline> end) {
    // Without this, a member that is cut off from the others would never answer.
    std::vector<GrpcHeader> headers{{"hasleader", "true"}};
    if (end) headers.push_back({"grpc-timeout", grpc_timeout(*end)});
    if (!token_.empty() && asked.path != Authenticate::path) headers.push_back({"token", token_});
    asked.token = token_;
    auto& connection = link_.connection();
    asked.stream = connection.open(asked.path, headers);
    connection.send(asked.stream, asked.request,
                    end ? GrpcConnection::End::yes : GrpcConnection::End::no);
}

} // namespace ipcbox::etcd
