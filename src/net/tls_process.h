// TLS, spoken by a process of its own (net/tls_protocol.h). We see plain bytes only: what comes is
// in a pipe, from which it can be spliced on without touching it, and what we say goes into a
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
#include <string>

namespace ipcbox::net {

struct TlsOptions {
    std::string name;                   // the server's: a host name or an IP address
    bool insecure = false;              // whatever its certificate is; pins still have to fit
    std::optional<std::string> ca_file; // PEM: whom to trust instead of the system's certificates
    // Certificates by their hashes (c_rehash(1)): trusted beside ca_file, instead of the system's.
    std::optional<std::string> ca_directory;
    std::optional<std::string> min_version; // "1.2" (default) or "1.3"
    std::optional<std::string> max_version; // "1.2" or "1.3"
    std::optional<std::string> certificate; // PEM: ours, and those of its issuers
    std::optional<std::string> key;         // PEM: the key, if it is not in the same file
    std::optional<std::string> pins; // keys that the server may have: "sha256//BASE64;sha256//…"
    // An end of the connection without a close_notify is the end of what the peer says.
    bool ignore_unexpected_eof = false;
};

// The pins as they came. Throws std::invalid_argument, saying what was expected.
[[nodiscard]] std::string parse_pins(std::string_view text);

// The path of ipcbox-tls: $IPCBOX_TLS, or beside our binary, or in libexec. Throws Error when there
// is none.
[[nodiscard]] std::string tls_program();

// It cannot be spoken with this peer, or not to the end.
class TlsError : public Error {
  public:
    // With ConnectionLost::yes the network is to blame, and another attempt may go better.
    enum class ConnectionLost { no, yes };
    TlsError(std::string message, int number, ConnectionLost lost = ConnectionLost::no)
        : Error(std::move(message)), number_(number), lost_(lost) {}

    // The exit status that curl(1) has for it: tls_protocol::Number.
    [[nodiscard]] int curl_status() const noexcept { return number_; }
    // The connection broke, or what came made no sense, before the peer had shown who it is: a
    // server that is just starting. Another try may help, as it does not for a wrong certificate.
    [[nodiscard]] bool is_broken_handshake() const noexcept;
    // The connection broke during the handshake.
    [[nodiscard]] bool is_lost() const noexcept { return lost_ == ConnectionLost::yes; }

  private:
    int number_;
    ConnectionLost lost_;
};

// Several threads may make these at the same time. When one goes its process is killed: who has
// said something calls check_end() first, or what was said last may not be sent.
class TlsProcess {
  public:
    // Gives a connected SOCKET away; when this returns the peer is who it has to be. Throws
    // TlsError, TimedOut, or Error when there is no ipcbox-tls: it is $IPCBOX_TLS, or beside our
    // binary, or in libexec.
    TlsProcess(Fd socket, const TlsOptions& options, Deadline deadline);

    // Both are non-blocking. The plain bytes that came: a pipe, whose end says only that no more
    // will come; see check_end().
    [[nodiscard]] int in() const { return in_.get(); }
    // The plain bytes to send: a stream socket. Shutting it down for writing says that this is all.
    [[nodiscard]] int out() const { return out_.get(); }
    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    [[nodiscard]] const std::string& description() const { return description_; }

    // Why nothing more comes or goes, if that is known by now: throws TlsError.
    void check();
    // After the end of in(): says that we have said all, and waits until it is sent. Throws
    // TlsError when the peer did not say that it had said all (close_notify), so that what came may
    // have been cut off, or when not all could be sent. Throws TimedOut.
    void check_end(Deadline deadline);

  private:
    // Reads a status line, and throws what it says; false when there will be no more.
    [[nodiscard]] bool hear(Deadline deadline);
    [[nodiscard]] std::optional<std::string> next_line(Deadline deadline);
    [[nodiscard]] std::string last_words();

    std::string name_;
    Child child_;
    Fd in_;
    Fd out_;
    std::string heard_; // and not yet read
    std::string description_;
    std::string unknown_; // what somebody else said in its place
    bool ended_well_ = false;
};

} // namespace ipcbox::net
