// One TLS connection as a client, on a non-blocking socket: the only header in front of OpenSSL.
//
// Everything here throws Error with one of tls_protocol's numbers as its status, and words that
// never contain a control character: they may come from the peer.
#pragma once

#include "core/error.h"

#include <memory>
#include <optional>
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

struct Config {
    std::string name; // what the certificate has to be for: a host name or an IP address
    std::optional<std::string> ca_file;     // instead of the system's certificates
    std::optional<std::string> certificate; // of ours
    std::optional<std::string> key;         // if it is not in the same file
    // Public keys, one of which the peer has to have: "sha256//BASE64;sha256//BASE64".
    std::optional<std::string> pins;
    bool verifies = true;
    bool ignores_unexpected_eof = false; // an end without a close_notify is an end
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

class Session {
  public:
    // Reads the files; not a byte moves yet.
    Session(int network, const Config& config);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] Outcome shake_hands();
    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    [[nodiscard]] std::string description() const;

    [[nodiscard]] Step read(std::span<char> into);
    // After wants_*, again with the same bytes.
    [[nodiscard]] Step write(std::span<const char> from);
    // Says that this was all of ours.
    [[nodiscard]] Outcome close();

  private:
    struct Closer {
        void operator()(ssl_ctx_st* context) const;
        void operator()(ssl_st* ssl) const;
    };
    struct Peer;

    [[nodiscard]] Outcome outcome_of(int result, int number, std::string_view what);

    std::unique_ptr<Peer> peer_;
    std::unique_ptr<ssl_ctx_st, Closer> context_;
    std::unique_ptr<ssl_st, Closer> ssl_;
};

} // namespace ipcbox::tls
