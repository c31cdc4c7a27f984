// One TLS connection on a non-blocking socket. Only this header and those of its two ends,
// tls/client.h and tls/server.h, hide OpenSSL.
//
// All functions here throw Error with one of tls_protocol's numbers as its status. Its text can
// come from the peer, but never contains a control character.
#pragma once

#include "core/error.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace ipcbox::tls {

// The network broke, or the peer left without an alert, so neither end has refused the other.
class ConnectionBroken : public Error {
  public:
    using Error::Error;
};

struct ContextCloser {
    void operator()(ssl_ctx_st* context) const;
};
using Context = std::unique_ptr<ssl_ctx_st, ContextCloser>;

// What both ends have in common: the version, the modes, and that a key with a passphrase is
// refused. Throws Error.
enum class Role { client, server };
[[nodiscard]] Context make_context(Role role);

// The oldest reason in OpenSSL's queue; the others only say which functions it passed through.
// Empties the queue.
[[nodiscard]] std::string first_error();

// What a context's callbacks know about the peer, and why they refused its certificate; empty when
// they did not.
struct Judgement {
    Judgement() = default;
    Judgement(const Judgement&) = delete;
    Judgement& operator=(const Judgement&) = delete;
    virtual ~Judgement() = default;

    int number = 0;
    std::string refusal;
    std::string alpn; // the application protocol that the peer has to choose; empty: none
};

// The outcome of one step.
enum class Outcome {
    done,
    wants_read,  // again once the network is readable
    wants_write, // again once it is writable
    ended,       // the peer announced the end of its data
};
struct Step {
    Outcome outcome;
    std::size_t bytes = 0; // that were moved
};

class Channel {
  public:
    // Moves no byte yet. The callbacks of CONTEXT refer to JUDGEMENT.
    Channel(Context context, Role role, int network, std::unique_ptr<Judgement> judgement);
    ~Channel();
    Channel(Channel&&) noexcept;
    Channel& operator=(Channel&&) = delete;

    [[nodiscard]] Outcome shake_hands();
    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    [[nodiscard]] std::string description() const;

    [[nodiscard]] Step read(std::span<char> into);
    // After wants_*, call it again with the same bytes.
    [[nodiscard]] Step write(std::span<const char> from);
    // Announces the end of our data.
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
