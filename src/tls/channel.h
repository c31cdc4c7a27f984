// One TLS connection on a non-blocking socket: the only headers in front of OpenSSL are this one
// and those of its two ends, tls/client.h and tls/server.h.
//
// Everything here throws Error with one of tls_protocol's numbers as its status, and words that
// never contain a control character: they may come from the peer.
#pragma once

#include "core/error.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace ipcbox::tls {

// The network broke, or the peer left without a word: nobody decided anything.
class ConnectionBroken : public Error {
  public:
    using Error::Error;
};

struct ContextCloser {
    void operator()(ssl_ctx_st* context) const;
};
using Context = std::unique_ptr<ssl_ctx_st, ContextCloser>;

// What both ends have in common. Throws Error.
enum class Role { client, server };
[[nodiscard]] Context make_context(Role role);

// The oldest of OpenSSL's reasons in its queue, which is emptied: the others only say where it
// passed on its way up.
[[nodiscard]] std::string first_error();

// What a context's callbacks know of the peer, and why they have refused its certificate: empty
// when they have not.
struct Judgement {
    Judgement() = default;
    Judgement(const Judgement&) = delete;
    Judgement& operator=(const Judgement&) = delete;
    virtual ~Judgement() = default;

    int number = 0;
    std::string refusal;
    std::string alpn; // the application protocol that the peer has to choose; empty: none
};

// What became of one step.
enum class Outcome {
    done,
    wants_read,  // again once the network is readable
    wants_write, // again once it is writable
    ended,       // the peer said that this was all
};
struct Step {
    Outcome outcome;
    std::size_t bytes = 0; // that were moved
};

class Channel {
  public:
    // Not a byte moves yet. The callbacks of CONTEXT refer to JUDGEMENT.
    Channel(Context context, Role role, int network, std::unique_ptr<Judgement> judgement);
    ~Channel();
    Channel(Channel&&) noexcept;
    Channel& operator=(Channel&&) = delete;

    [[nodiscard]] Outcome shake_hands();
    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    [[nodiscard]] std::string description() const;

    [[nodiscard]] Step read(std::span<char> into);
    // After wants_*, again with the same bytes.
    [[nodiscard]] Step write(std::span<const char> from);
    // Says that this was all of ours.
    [[nodiscard]] Outcome close();

    // For the two ends.
    [[nodiscard]] ssl_st* ssl() const { return ssl_.get(); }

  private:
    struct Closer {
        void operator()(ssl_st* ssl) const;
    };

    void check_protocol();
    [[nodiscard]] Outcome outcome_of(int result, int number, std::string_view what);

    std::unique_ptr<Judgement> judgement_;
    Context context_;
    std::unique_ptr<ssl_st, Closer> ssl_;
};

} // namespace ipcbox::tls
