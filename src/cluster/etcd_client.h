// A client of an etcd cluster: calls and watches over one connection to one of its members, and to
// another member when that one fails. No threads. Either the calls wait:
//
//     EtcdClient client{access};
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
// Both can be mixed: while call() waits, watches go on, and what they say is kept.
#pragma once

#include "cluster/etcd_messages.h"
#include "cluster/grpc_connection.h"
#include "core/deadline.h"
#include "core/error.h"
#include "net/address.h"
#include "net/tls_process.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cluster {

struct EtcdEndpoint {
    bool is_https = false;
    net::HostPort place;

    // "http://host:2379", "https://host", "host:2379", "host": the port is 2379 unless there is
    // one. Throws std::invalid_argument, saying what was expected.
    [[nodiscard]] static EtcdEndpoint parse(std::string_view text);
    [[nodiscard]] std::string text() const; // "http://host:2379"
};

// How to get at a cluster (front/ipc/etcd_options.h fills it).
struct EtcdAccess {
    std::vector<EtcdEndpoint> endpoints; // at least one
    std::string user;                    // empty: no login
    std::string password;
    net::TlsOptions tls; // name is ignored: it is the endpoint's host
};

class EtcdError : public Error {
  public:
    enum class Kind : std::uint8_t {
        unavailable, // no member answered in time, or there is no leader: later it may go well
        denied,      // wrong user or password, or the role lacks the permission
        gone,        // the lease is unknown
        refused,     // anything else: the request or the server is not what the other expects
    };
    EtcdError(Kind kind, std::string message) : Error(std::move(message)), kind_(kind) {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

  private:
    Kind kind_;
};

// What a status means. "lease already exists" and "authentication is not enabled" are up to the
// caller, and refused here.
[[nodiscard]] EtcdError::Kind kind_of(const GrpcStatus& status);

using CallId = std::uint64_t;
using WatchId = std::uint64_t;

struct FinishedCall {
    CallId id = 0;
    std::string answer; // for Request::Answer::decode()
    std::optional<EtcdError> error;
    // The request was sent more than once, because no answer came to an earlier attempt: that
    // attempt may have done its work.
    bool was_repeated = false;
};

struct WatchEvent {
    enum class Kind : std::uint8_t {
        created, // from now on it tells every change
        put,
        deleted,
        // There is no such watch any more: the connection was lost, there is no leader, or the
        // server canceled it. The watch has to be armed anew; look after that at what was missed.
        lost,
    } kind;
    WatchId watch;
    KeyValue kv;            // for put and deleted
    std::string reason;     // for lost
    bool is_denied = false; // for lost: the role lacks the permission, and will lack it next time
};

class EtcdClient {
  public:
    explicit EtcdClient(EtcdAccess access);
    ~EtcdClient();
    EtcdClient(const EtcdClient&) = delete;
    EtcdClient& operator=(const EtcdClient&) = delete;

    // How long one member may take to answer before another is asked (default 2 s). It doubles with
    // each attempt of the same call, up to 4 s.
    void set_patience(Duration patience) { patience_ = patience; }

    // Repeats the request at one member after the other until there is an answer: every request
    // must bear repetition. Throws EtcdError; unavailable at the DEADLINE, or before it when all
    // members are hopeless (no etcd there, an untrusted certificate).
    //
    // A LeaseGrant whose lease exists already is granted: it is ours, from an earlier attempt.
    template <class Request>
    [[nodiscard]] typename Request::Answer call(const Request& request, Deadline deadline) {
        return Request::Answer::decode(finish(start(request, deadline)).answer);
    }

    // Begins a call, whose end next_finished() tells.
    template <class Request> [[nodiscard]] CallId start(const Request& request, Deadline deadline) {
        return start_call(Request::path, request.encode(), deadline);
    }
    // Waits for the end of this call. Throws EtcdError when it failed.
    FinishedCall finish(CallId call);
    // Forgets a call; it will never be told finished.
    void abandon(CallId call);
    [[nodiscard]] std::optional<FinishedCall> next_finished();

    // Arms a watch, on the connection that there is or the next one. It is armed once its event
    // `created` came. A lost watch has ended: arm another.
    [[nodiscard]] WatchId watch(const Watch& watch);
    void unwatch(WatchId watch); // no event of it comes after this
    [[nodiscard]] std::optional<WatchEvent> next_event();
    // Waits for the next event of any watch; nothing when the DEADLINE passed first.
    [[nodiscard]] std::optional<WatchEvent> wait_event(Deadline deadline);

    // What a poll loop waits for: fd is -1 for an entry that is not used; and the moment at which
    // work() has to be called in any case.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const;
    [[nodiscard]] Deadline next_moment() const;
    // Does what can be done without waiting (a host name is looked up, which waits at most a
    // second). Throws nothing but what is our own machine's fault.
    void work();

    // Closes the connection without a word, for a child after fork(2) whose parent goes on using
    // it.
    void drop_connection();
    // "http://a:2379: Connection refused; http://b:2379: no answer": the last problem with each
    // member; empty without any.
    [[nodiscard]] std::string problems() const;

  private:
    struct Call;
    struct ArmedWatch;
    struct Member;

    [[nodiscard]] CallId start_call(std::string_view path, std::string request, Deadline deadline);

    EtcdAccess access_;
    Duration patience_;
    std::vector<Member> members_;
    std::size_t member_ = 0; // the one that we are connected to
    std::unique_ptr<GrpcConnection> connection_;
    std::string token_;
    std::map<CallId, Call> calls_;
    std::map<WatchId, ArmedWatch> watches_;
    std::deque<FinishedCall> finished_;
    std::deque<WatchEvent> events_;
    std::uint64_t last_id_ = 0;
};

} // namespace ipcbox::cluster
