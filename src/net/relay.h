// Moves bytes between two ends, both ways at the same time: the asker's request goes to the
// answerer, and the answer goes back. In a client the asker is its standard streams, and the
// answerer is the server's socket. In a server the asker is the client's socket, and the answerer
// is the socket of a program.
//
//     RelayCounts counts;
//     relay(RelayEnd::streams(STDIN_FILENO, STDOUT_FILENO),
//           RelayEnd::socket(server.get(), "the server"), {}, counts);
//
// When one end has sent everything, the other end learns this (shutdown(2)), and the other
// direction goes on for as long as it takes. The relay is over when both directions are; see also
// FinishRequest. Nothing more is sent to an end that is gone (poll(2): POLLHUP, POLLERR).
//
// Where the kernel can move the bytes itself (splice(2), sendfile(2)), they do not pass through our
// memory.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace ipcbox::net {

struct RelayEnd {
    int in;  // read its bytes here; -1 when it sends none
    int out; // write bytes for it here
    // The names in error messages: "cannot read NAME", "cannot write NAME".
    std::string_view in_name;
    std::string_view out_name;
    // Other processes use a shared descriptor too: the relay never makes it non-blocking and never
    // shuts it down.
    enum class Ownership { ours, shared } ownership;

    // A connected stream socket of ours, non-blocking.
    [[nodiscard]] static RelayEnd socket(int socket, std::string_view name) {
        return {socket, socket, name, name, Ownership::ours};
    }
    // The descriptors that we were started with: pipes, files, terminals, sockets.
    [[nodiscard]] static RelayEnd streams(int in, int out) {
        return {in, out, "standard input", "standard output", Ownership::shared};
    }
};

enum class Flow { request, answer };

struct RelayOptions {
    // Throws TimedOut after this time without a byte either way.
    std::optional<Duration> idle;
    // When one direction has ended, the other one has at most this time. After that the relay ends
    // with RelayCounts::quit, which is not an error.
    std::optional<Duration> quit_after;
    // Throws Error for a longer answer, after passing on this many bytes. The answerer must be a
    // socket or a non-blocking pipe.
    std::optional<std::uint64_t> max_answer;
    // Gets every chunk and returns the bytes to pass on in its place. The result must live until
    // the next call. An empty chunk is the end of the flow.
    std::function<std::string_view(Flow, std::string_view chunk)> filter;
    // What to do when the answer has ended before the request. The answerer may have closed only
    // its own half, or the whole connection; TCP does not tell which until we send. So "if_begun"
    // finishes a request that has begun, and waits for one when the answer was empty. An asker that
    // got an answer without a request is taken to have nothing to send.
    enum class FinishRequest { always, if_begun, never } finish_request = FinishRequest::if_begun;
    // Whether to tell the answerer that the request has ended (shutdown(2)).
    enum class RequestEnd { told, kept_back } request_end = RequestEnd::told;
};

// The bytes that came from each end.
struct RelayCounts {
    std::uint64_t request = 0;
    std::uint64_t answer = 0;
    std::optional<Deadline::Clock::time_point> first_answer;
    bool quit = false; // quit_after has passed
};

// COUNTS is right even when this throws. Throws SysError when an end cannot be read or written,
// also for a reset connection. When the answerer refuses the request, this throws only after the
// answer has ended. Throws TimedOut after the deadline.
//
// SIGPIPE keeps its disposition for shared descriptors: when nobody reads our standard output any
// more, the signal comes when this function returns. Sockets raise none.
void relay(const RelayEnd& asker, const RelayEnd& answerer, const RelayOptions& options,
           RelayCounts& counts, Deadline deadline = Deadline::never());

} // namespace ipcbox::net
