// Bytes between two ends, both ways at once: what the asker says goes to the answerer, and the
// answer back. A client's asker is its standard streams and the answerer the server's socket; a
// server's asker is the client's socket and the answerer the socket of a program.
//
//     RelayCounts counts;
//     relay(RelayEnd::streams(STDIN_FILENO, STDOUT_FILENO),
//           RelayEnd::socket(server.get(), "the server"), {}, counts);
//
// The end of what one end says is passed on (shutdown(2)), and the other direction goes on for as
// long as it takes. It is over when both directions are; see also FinishRequest. An end that is
// gone (poll(2): POLLHUP, POLLERR) is told nothing more.
//
// Bytes do not come by our memory where the kernel can move them itself: splice(2), sendfile(2).
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace ipcbox::net {

struct RelayEnd {
    int in;  // what it says is read here; -1 when it says nothing
    int out; // what it is told is written here
    // What errors call them: "cannot read NAME", "cannot write NAME".
    std::string_view in_name;
    std::string_view out_name;
    // A shared one is not only ours: it is never made non-blocking and never shut down.
    enum class Ownership { ours, shared } ownership;

    // A connected stream socket of ours, non-blocking.
    [[nodiscard]] static RelayEnd socket(int socket, std::string_view name) {
        return {socket, socket, name, name, Ownership::ours};
    }
    // Whatever we were started with: pipes, files, terminals, sockets.
    [[nodiscard]] static RelayEnd streams(int in, int out) {
        return {in, out, "standard input", "standard output", Ownership::shared};
    }
};

enum class Flow { request, answer };

struct RelayOptions {
    // No byte either way for so long is TimedOut.
    std::optional<Duration> idle;
    // When one direction has ended, the other one has no more time than this; then the relay is
    // over, with RelayCounts::quit, and that is no error.
    std::optional<Duration> quit_after;
    // A longer answer is an Error; what fits was passed on. Its answerer has to be a socket, or a
    // non-blocking pipe.
    std::optional<std::uint64_t> max_answer;
    // Sees every chunk, and says what is passed on in its place; what it returns has to live until
    // its next call. An empty chunk is the flow's end.
    std::function<std::string_view(Flow, std::string_view chunk)> filter;
    // When the answer has ended, and the request has not: an answerer may have closed its half
    // because it only listens, or the whole, and TCP does not tell which until we send. So what has
    // begun is finished, and also what may yet begin when the answer was empty; but whoever has an
    // answer and has said nothing (a pipe to nobody in particular) has nothing to say.
    enum class FinishRequest { always, if_begun, never } finish_request = FinishRequest::if_begun;
    // Whether the answerer is told where the request ends (shutdown(2)).
    enum class RequestEnd { told, kept_back } request_end = RequestEnd::told;
};

// The bytes that came from each end.
struct RelayCounts {
    std::uint64_t request = 0;
    std::uint64_t answer = 0;
    std::optional<Deadline::Clock::time_point> first_answer;
    bool quit = false; // quit_after has passed
};

// COUNTS is right also when this throws. Throws SysError for what cannot be read or written, a
// reset connection too; a request that the answerer refuses is only told once its answer has ended.
// Throws TimedOut after the deadline.
//
// SIGPIPE keeps its disposition for what is shared: when nobody reads our standard output any more,
// it comes when this is left. Sockets give none.
void relay(const RelayEnd& asker, const RelayEnd& answerer, const RelayOptions& options,
           RelayCounts& counts, Deadline deadline = Deadline::never());

} // namespace ipcbox::net
