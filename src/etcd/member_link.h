// The connection to one of the members of a cluster, and to the next one when that fails. Nothing
// here waits, except that a host name is looked up for at most a second.
#pragma once

#include "core/deadline.h"
#include "etcd/access.h"
#include "etcd/grpc_connection.h"

#include <array>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

class MemberLink {
  public:
    explicit MemberLink(Access access);

    // How long a member may take to answer after FAILED_ATTEMPTS: it doubles with each, up to 4 s.
    [[nodiscard]] Duration patience(unsigned failed_attempts) const;
    // The patience with the first attempt (default 2 s).
    void set_patience(Duration patience) { patience_ = patience; }

    // Connects when there is no connection and it is time for the next attempt.
    void connect_if_due();
    // Whether requests can be sent: there is a connection, and no pause after a failure.
    [[nodiscard]] bool is_ready() const { return connection_ && pause_.passed(); }
    [[nodiscard]] bool has_connection() const { return connection_ != nullptr; }
    [[nodiscard]] GrpcConnection& connection() { return *connection_; }
    // Moves bytes. The connection may be broken after it: the caller takes its events, and then
    // calls give_up_on_broken().
    void work();
    // Sends what was queued since work(), and receives nothing.
    void flush();
    // Whether a broken connection was given up, or one that took too long to come about.
    [[nodiscard]] bool give_up_on_broken();

    // This member does not answer as it should: the next one is tried, after a pause when all have
    // had their turn. A single member keeps its connection with Keep::yes.
    enum class Keep : std::uint8_t { no, yes };
    void fail(const GrpcStatus& why, Keep keep);
    // This member answers as it should.
    void succeed();

    // Whether a member may have got a request: false if each that was tried failed before it spoke.
    [[nodiscard]] bool may_be_heard() const { return was_established_ || problems().empty(); }
    // Whether no member can ever answer: none is etcd, or none has a certificate that we trust.
    [[nodiscard]] bool is_hopeless() const;
    // "http://a:2379: Connection refused; http://b:2379: no answer": the last problem with each
    // member; empty without any.
    [[nodiscard]] std::string problems() const;

    [[nodiscard]] std::array<pollfd, 2> poll_entries() const;
    // When connect_if_due() or give_up_on_broken() has something to do although nothing came.
    [[nodiscard]] Deadline next_moment() const;

  private:
    struct Member {
        Endpoint endpoint;
        std::vector<net::Address> addresses; // empty: to be looked up
        std::size_t next_address = 0;
        std::string problem{};
        bool is_hopeless = false;
    };

    [[nodiscard]] Member& member() { return members_[at_]; }
    void connect();
    [[nodiscard]] net::Address next_address();
    void fail_connection(const GrpcStatus& why);

    Access access_;
    std::vector<Member> members_;
    std::size_t at_ = 0;
    std::unique_ptr<GrpcConnection> connection_;
    Duration patience_ = std::chrono::seconds{2};
    Deadline established_by_ = Deadline::never();
    bool was_established_ = false; // ever
    Deadline pause_;
    unsigned failures_ = 0; // in a row
};

} // namespace ipcbox::etcd
