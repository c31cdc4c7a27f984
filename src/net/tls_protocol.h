// What ipcbox-tls and whoever starts it (net/tls_process.h) say to each other. It speaks TLS in a
// process of its own, so that foreign certificates and records are parsed where nothing else is.
//
//     ipcbox-tls name=example.org [ca-file=FILE] [ca-directory=DIRECTORY]
//                [min-version=1.2|1.3] [max-version=1.2|1.3] [certificate=FILE] [key=FILE]
//                [pins=PINS] [verification=off] [unexpected-eof=end]
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
//            closed                                   the peer said that this was all, or
//            cut REASON                               it did not; either before the pipe's end
//            unsent REASON                            not all could be sent
//
// Standard error is one of them on purpose: what a C library or a loader prints about us can then
// become an unknown status line, and never bytes that seem to come from the peer.
//
// ipcbox-tls ends when all was said both ways, when the stream is cut, and when nobody is there any
// more at the other end of 1 or 2.
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

// A status line, its line feed included, is never longer.
inline constexpr std::size_t max_line = 2000;

// The numbers that curl(1) has for them.
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
