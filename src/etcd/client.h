// A client of an etcd cluster: calls and watches over one connection to one of its members, and to
// another member when that one fails. No threads. Either the calls wait:
//
//     Client client{access};
//     const auto answer = client.call(LeaseGrant{15, lease}, Deadline::after(20s));
//
// or the caller's own loop drives it:
//
//     const auto id = client.start(LeaseKeepAlive{lease}, deadline);
//     for (;;) {
//         entries = client.poll_entries() and the caller's own;
//         poll_until(entries, std::min(client.next_moment(), own));
//         client.work();
//         while (const auto finished = client.next_finished()) …
//         while (const auto event = client.next_event()) …
//     }
//
// Both can be mixed: while call() waits, watches go on, and their events are kept.
#pragma once

#include "core/deadline.h"
#include "etcd/access.h"
#include "etcd/member_link.h"
#include "etcd/messages.h"
#include "etcd/status.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

using CallId = std::uint64_t;
using WatchId = std::uint64_t;

struct FinishedCall {
    CallId id = 0;
    std::string answer; // for Request::Answer::decode()
    std::optional<CallError> error;
    // The request was sent more than once, because no answer came to an earlier attempt: that
    // attempt may have done its work.
    bool was_repeated = false;
};

struct WatchEvent {
    enum class Kind : std::uint8_t {
        created, // from now on each change is an event
        put,
        deleted,
        // There is no such watch any more: the connection was lost, there is no leader, or the
        // server canceled it. Arm a new watch, and look after that for what was missed.
        lost,
    } kind;
    WatchId watch;
    KeyValue kv;            // for put and deleted
    std::string reason;     // for lost
    bool is_denied = false; // for lost: the role lacks the permission, and will lack it next time
};

class Client {
  public:
    explicit Client(const Access& access);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() = default;

    // How long one member may take to answer before another is asked (default 2 s). It doubles with
    // each attempt of the same call, up to 4 s.
    void set_patience(Duration patience) { link_.set_patience(patience); }

    // Repeats the request at one member after the other until there is an answer: every request
    // must be safe to repeat. Throws CallError; unavailable at the DEADLINE, and refused before it
    // when no member can ever answer (no etcd there, an untrusted certificate). Throws
    // MalformedMessage.
    //
    // A LeaseGrant whose lease exists already is granted: it is ours, from an earlier attempt.
    template <class Request>
    [[nodiscard]] typename Request::Answer call(const Request& request, Deadline deadline) {
        return Request::Answer::decode(finish(start(request, deadline)).answer);
    }

    // Begins a call; next_finished() returns it when it has ended.
    template <class Request> [[nodiscard]] CallId start(const Request& request, Deadline deadline) {
        return start_call(Request::path, request.encode(), deadline);
    }
    // Waits for the end of this call. Throws CallError when it failed.
    FinishedCall finish(CallId call);
    // Forgets a call: next_finished() never returns it, and the server may carry it out or not.
    void abandon(CallId call);
    [[nodiscard]] std::optional<FinishedCall> next_finished();

    // Arms a watch, on the present connection or the next one. It is armed once its event `created`
    // has come. A lost watch has ended: arm another.
    [[nodiscard]] WatchId watch(const Watch& watch);
    void unwatch(WatchId watch); // no event of it comes after this
    [[nodiscard]] std::optional<WatchEvent> next_event();
    // Waits for the next event of any watch; nothing when the DEADLINE passed first.
    [[nodiscard]] std::optional<WatchEvent> wait_event(Deadline deadline);

    // What a poll loop waits for: fd is -1 for an entry that is not used; and the moment at which
    // work() has to be called in any case.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const { return link_.poll_entries(); }
    [[nodiscard]] Deadline next_moment() const;
    // Does what can be done without waiting (a host name is looked up, which waits at most a
    // second).
    void work();

    // "http://a:2379: Connection refused; http://b:2379: no answer": the last problem with each
    // member; empty without any.
    [[nodiscard]] std::string problems() const { return link_.problems(); }
    // Whether a member may have got a request: false if each that was tried failed before it spoke.
    [[nodiscard]] bool may_be_heard() const { return link_.may_be_heard(); }

  private:
    using StreamId = GrpcConnection::StreamId;
    // What calls and watches have in common.
    struct Asked {
        std::string_view path;
        std::string request;
        StreamId stream = 0; // 0: to be sent
        // The member has to answer by then; a watch is answered once it is armed.
        Deadline attempt_end = Deadline::never();
        std::string token{};        // the login token it was sent with
        bool has_new_token = false; // we have logged in again for it, and do so only once
    };
    struct Call : Asked {
        Deadline deadline;
        unsigned attempts = 0;
        std::string answer{};
    };
    using Calls = std::map<CallId, Call>;
    using Watches = std::map<WatchId, Asked>;

    [[nodiscard]] CallId start_call(std::string_view path, std::string request, Deadline deadline);
    void wait(Deadline deadline);
    void hear();
    void end_call(Calls::iterator call, const GrpcStatus& status);
    void finish_call(Calls::iterator call, std::optional<CallError> error);
    void hear_watch(Watches::iterator watch, const std::string& message);
    void end_watch(Watches::iterator watch, const GrpcStatus& status);
    [[nodiscard]] bool logs_in_again(Asked& asked, const GrpcStatus& status);
    void expire();
    void fail_member(const GrpcStatus& why, MemberLink::Keep keep);
    void lose_streams();
    void give_up_all(const CallError& error);
    void send_all();
    void send(Asked& asked, std::optional<Deadline> end);
    [[nodiscard]] bool wants_login() const;
    [[nodiscard]] bool has_unsent() const;

    std::string user_;
    std::string password_;
    MemberLink link_;
    std::string token_;
    CallId login_ = 0; // the call that fetches a token; 0: none
    bool has_no_logins_ = false;
    Calls calls_;
    Watches watches_;
    std::deque<FinishedCall> finished_;
    std::deque<WatchEvent> events_;
    std::optional<GrpcStatus> member_problem_; // found while we heard, for after that
    std::uint64_t last_id_ = 0;
};

} // namespace ipcbox::etcd
