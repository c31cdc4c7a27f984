// The protocol between ipcbox-tls and the program that starts it (net/tls_process.h). ipcbox-tls
// speaks TLS in a process of its own, so that foreign certificates and records are parsed where
// nothing else is.
//
//     ipcbox-tls name=example.org [ca-file=FILE] [ca-directory=DIRECTORY]
//                [min-version=1.2|1.3] [max-version=1.2|1.3] [certificate=FILE] [key=FILE]
//                [pins=PINS] [verification=off] [unexpected-eof=end] [alpn=PROTOCOL]
//
// Three descriptors, all non-blocking, and no other:
//
//     0  the network: a connected socket
//     1  a pipe, to which the plain bytes go that came; its end is the end of what came
//     2  a stream socket: the plain bytes to send come from it, and their end is the end of what
//        we say: a close_notify, and no FIN, for which nginx would drop the rest of its answer.
//        Status lines go to it:
//
//            ready TLSv1.3 TLS_AES_256_GCM_SHA384     after the handshake, or
//            failed 60 the certificate is for example.org, not for localhost
//            lost REASON                              the connection broke during the handshake
//            closed                                   the peer announced the end of its data, or
//            cut REASON                               it did not; either before the pipe's end
//            unsent REASON                            not all could be sent
//
// Standard error is one of the three on purpose: a message from the C library or the loader then
// becomes an unknown status line, and never bytes that seem to come from the peer.
//
// ipcbox-tls ends when both sides have sent everything, when the stream is cut, and when the
// program at the other end of 1 or 2 is gone.
#pragma once

#include <string_view>

namespace ipcbox::tls_protocol {

inline constexpr int network = 0;
inline constexpr int plain = 1;
inline constexpr int control = 2;

inline constexpr std::string_view ready = "ready ";
inline constexpr std::string_view failed = "failed ";
inline constexpr std::string_view lost = "lost ";
inline constexpr std::string_view closed = "closed";
inline constexpr std::string_view cut = "cut ";
inline constexpr std::string_view unsent = "unsent ";

// The longest status line, in bytes, with its line feed.
inline constexpr std::size_t max_line = 2000;

// The numbers of failures, as curl(1) has them.
enum Number : int {
    handshake_failed = 35,
    not_sent = 55,
    cut_off = 56,
    bad_own_certificate = 58,
    bad_certificate = 60,
    bad_ca_file = 77,
    wrong_pin = 90,
};

} // namespace ipcbox::tls_protocol
