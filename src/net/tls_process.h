// TLS, spoken by a process of its own (net/tls_protocol.h). We see only plain bytes: those that
// come are in a pipe, from which the kernel can splice them on, and those that we send go into a
// socket.
//
//     TlsProcess tls{connect_tcp(…), {.name = "example.org"}, deadline};
//     relay(here, {tls.in(), tls.out(), target, target, RelayEnd::Ownership::ours}, …);
//     tls.check_end(deadline);
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/fd.h"

#include <optional>
#include <span>
#include <string>

namespace ipcbox {
struct SpawnPlan; // core/spawn.h
}

namespace ipcbox::net {

struct TlsOptions {
    std::string name;                   // the server's: a host name or an IP address
    bool insecure = false;              // accept any certificate; pins must still fit
    std::optional<std::string> ca_file; // PEM: trusted instead of the system's certificates
    // Certificates by their hashes (c_rehash(1)): trusted beside ca_file, instead of the system's.
    std::optional<std::string> ca_directory;
    std::optional<std::string> min_version; // "1.2" (default) or "1.3"
    std::optional<std::string> max_version; // "1.2" or "1.3"
    std::optional<std::string> certificate; // PEM: ours, and those of its issuers
    std::optional<std::string> key;         // PEM: the key, if it is not in the same file
    std::optional<std::string> pins; // keys that the server may have: "sha256//BASE64;sha256//…"
    // Accept the end of a connection without a close_notify as the end of the peer's data.
    bool ignore_unexpected_eof = false;
    // The protocol that the server has to agree to speak (ALPN, RFC 7301): "h2".
    std::optional<std::string> application_protocol{};
};

// Returns TEXT unchanged. Throws std::invalid_argument, saying what was expected.
[[nodiscard]] std::string parse_pins(std::string_view text);

// The path of ipcbox-tls: $IPCBOX_TLS, or beside our binary, or in libexec. Throws Error when there
// is none.
[[nodiscard]] std::string tls_program();

// Starts it. Throws as spawn() does, but never with status 126 or 127: those are about the user's
// command.
[[nodiscard]] Child spawn_tls(const std::string& program, std::span<const std::string> arguments,
                              const SpawnPlan& plan);

// TLS with this peer failed, at its beginning or later.
class TlsError : public Error {
  public:
    // With ConnectionLost::yes the network is to blame, and another attempt may go better.
    enum class ConnectionLost { no, yes };
    TlsError(std::string message, int number, ConnectionLost lost = ConnectionLost::no)
        : Error(std::move(message)), number_(number), lost_(lost) {}

    // curl(1)'s exit status for this failure: tls_protocol::Number.
    [[nodiscard]] int curl_status() const noexcept { return number_; }
    // The connection broke, or the bytes were invalid, before the peer had proved its identity. A
    // server that is just starting can do that, so another attempt may help. It does not help
    // against a wrong certificate.
    [[nodiscard]] bool is_broken_handshake() const noexcept;
    // The connection broke during the handshake.
    [[nodiscard]] bool is_lost() const noexcept { return lost_ == ConnectionLost::yes; }

  private:
    int number_;
    ConnectionLost lost_;
};

// Several threads may make these objects at the same time. The destructor kills the process. Call
// check_end() before it, or the last bytes may not be sent.
class TlsProcess {
  public:
    // Gives the connected SOCKET to the process and waits for the handshake; then the identity of
    // the peer is verified. Throws TlsError, TimedOut, and as tls_program() does.
    TlsProcess(Fd socket, const TlsOptions& options, Deadline deadline);

    // Does not wait for the handshake: the socket may even be connecting still. check() tells when
    // it fails. What is written to out() before its end is sent after it.
    TlsProcess(Fd socket, const TlsOptions& options);

    // in() and out() are non-blocking. in() is a pipe with the plain bytes that came. Its end says
    // only that no more will come; see check_end().
    [[nodiscard]] int in() const { return in_.get(); }
    // A stream socket for the plain bytes to send. Shut it down for writing after the last byte.
    [[nodiscard]] int out() const { return out_.get(); }
    // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty before the end of the handshake.
    [[nodiscard]] const std::string& description() const { return description_; }

    // Throws TlsError if the connection is known to have failed.
    void check();
    // Call it after the end of in(). It ends our side and waits until all bytes are sent. Throws
    // TlsError when the peer did not announce the end of its data (close_notify), so that they may
    // have been cut off, and when not all of our bytes could be sent. Throws TimedOut.
    void check_end(Deadline deadline);

  private:
    // Reads a status line and throws the failure that it reports; false when there will be no more
    // lines.
    [[nodiscard]] bool hear(Deadline deadline);
    [[nodiscard]] std::optional<std::string> next_line(Deadline deadline);
    [[nodiscard]] std::string last_words();

    std::string name_;
    Child child_;
    Fd in_;
    Fd out_;
    std::string heard_; // and not yet read
    std::string description_;
    std::string unknown_; // a line from another program, such as the loader
    bool ended_well_ = false;
};

} // namespace ipcbox::net
