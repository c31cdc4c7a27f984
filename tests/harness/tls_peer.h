// The other side of a TLS connection, in a thread of the test. Makes its certificates itself. Tests
// that use it are linked to the system's OpenSSL (tls_test_library).
//
//     const Certificate authority{{.common_name = "Test CA", .is_authority = true}};
//     const Certificate certificate{{.names = "DNS:localhost"}, &authority};
//     TlsPeer server{{.certificate = &certificate}, [](TlsConnection& client) {
//         client.say("hello\n");
//         client.end();
//     }};
#pragma once

#include "harness/peer.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace ipcbox::test {

// A key and a certificate for it.
class Certificate {
  public:
    struct Plan {
        std::string common_name = "localhost";
        std::string names = "DNS:localhost,IP:127.0.0.1";   // in the words of x509v3_config(5)
        std::chrono::seconds from = std::chrono::hours{-1}; // counted from now
        std::chrono::seconds until = std::chrono::hours{1};
        unsigned rsa_bits = 0; // 0 means an elliptic curve
        bool is_authority = false;
    };

    // ISSUER signs the certificate. Without ISSUER, it signs itself.
    explicit Certificate(const Plan& plan, const Certificate* issuer = nullptr);
    ~Certificate();
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    [[nodiscard]] std::string pem() const;
    [[nodiscard]] std::string key_pem() const;
    // The public key, as --pinnedpubkey wants it.
    [[nodiscard]] std::string pin() const;

    struct Parts;
    [[nodiscard]] const Parts& parts() const { return *parts_; }

  private:
    std::unique_ptr<Parts> parts_;
};

// A client, after the handshake. All calls block, and throw Error when the client is gone.
class TlsConnection {
  public:
    TlsConnection(ssl_ctx_st* context, const Fd& client);
    ~TlsConnection();
    TlsConnection(const TlsConnection&) = delete;
    TlsConnection& operator=(const TlsConnection&) = delete;

    // The next bytes. Empty at the end (close_notify).
    // It may be any part of what the client sends, even a single byte.
    [[nodiscard]] std::string receive();
    // SIZE bytes or more. Fewer only at the end.
    [[nodiscard]] std::string receive_at_least(std::size_t size);
    [[nodiscard]] std::string receive_all();
    void say(std::string_view text);
    // Sends close_notify, which says that no more comes. We can still receive.
    void end();
    // Ends the connection at once, with a reset (RST).
    void reset();
    // The name that the client asked for (SNI). Empty when it asked for none.
    [[nodiscard]] std::string asked_name() const;
    [[nodiscard]] const Fd& socket() const { return client_; }

  private:
    struct Closer {
        void operator()(ssl_st* ssl) const;
    };
    const Fd& client_;
    std::unique_ptr<ssl_st, Closer> ssl_;
};

// Serves one client after another with WORK, on 127.0.0.1. It is no failure if a handshake fails or
// a client goes. When WORK returns, the connection is cut: WORK has to call end() itself. The peer
// reads everything that the client still sends, because a close with unread bytes would be a reset,
// and the client would lose bytes that it has not received yet.
class TlsPeer {
  public:
    struct Plan {
        const Certificate* certificate = nullptr;
        const Certificate* issuer = nullptr;        // the server sends this one too
        const Certificate* client_issuer = nullptr; // clients must show one of its certificates
        std::optional<int> version = std::nullopt;  // for example TLS1_2_VERSION
        int security_level = 0;                     // 0, so that the client has to refuse weak keys
    };
    using Work = std::function<void(TlsConnection& client)>;

    TlsPeer(const Plan& plan, Work work);
    ~TlsPeer();
    TlsPeer(const TlsPeer&) = delete;
    TlsPeer& operator=(const TlsPeer&) = delete;

    [[nodiscard]] const net::Address& address() const { return peer_->address(); }
    [[nodiscard]] std::string text() const { return peer_->text(); }

  private:
    struct Closer {
        void operator()(ssl_ctx_st* context) const;
    };
    std::unique_ptr<ssl_ctx_st, Closer> context_;
    std::optional<Peer> peer_;
};

} // namespace ipcbox::test
