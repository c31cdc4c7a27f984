#include "net/relay.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/signals.h"
#include "net/relay_stream.h"

#include <algorithm>
#include <array>
#include <csignal>

namespace ipcbox::net {

namespace {

// Whether to send the rest of the request although the answer has ended.
bool finishes(const RelayOptions& options, const RelayCounts& counts) {
    using When = RelayOptions::FinishRequest;
    return options.finish_request == When::always ||
           (options.finish_request == When::if_begun && (counts.request > 0 || counts.answer == 0));
}

bool is_gone(const pollfd& watched) {
    return (watched.revents & (POLLERR | POLLHUP)) != 0;
}

} // namespace

void relay(const RelayEnd& asker, const RelayEnd& answerer, const RelayOptions& options,
           RelayCounts& counts, Deadline deadline) {
    using State = RelayStream::State;
    const BlockedSignals blocked{signal_set({SIGPIPE})};
    RelayStream answer{Flow::answer, RelayPort::source(answerer), RelayPort::sink(asker), options,
                       counts.answer};
    std::optional<RelayStream> request;
    if (asker.in >= 0)
        request.emplace(Flow::request, RelayPort::source(asker), RelayPort::sink(answerer), options,
                        counts.request);

    Deadline idle = Deadline::after_or_never(options.idle);
    Deadline quit = Deadline::never();
    const auto ended = [](const std::optional<RelayStream>& stream) {
        return !stream || stream->state() == State::ended;
    };
    while (answer.state() != State::ended || !ended(request)) {
        const pollfd none{-1, 0, 0};
        std::array entries{answer.awaited(), answer.watched(), request ? request->awaited() : none,
                           request ? request->watched() : none};
        if (poll_until(entries, std::min({idle, deadline, quit})) == 0 || quit.passed()) {
            counts.quit = quit.passed();
            if (counts.quit) break;
            if (deadline.passed()) throw TimedOut("waiting for the end of the connection");
            throw TimedOut("no byte was sent or received");
        }
        const auto before = counts.answer + counts.request;
        if (entries[0].revents != 0)
            answer.move();
        else if (is_gone(entries[1]))
            answer.lose_sink();
        if (!ended(request)) {
            if (entries[2].revents != 0)
                request->move();
            else if (is_gone(entries[3]))
                request->lose_sink();
        }
        if (counts.answer > 0 && !counts.first_answer) counts.first_answer = Deadline::Clock::now();
        if (counts.answer + counts.request != before) idle = Deadline::after_or_never(options.idle);
        if (answer.state() == State::ended && !ended(request) && !finishes(options, counts))
            request->end();
        const bool one_ended =
            answer.state() == State::ended || (request && request->state() == State::ended);
        if (options.quit_after && one_ended && quit.is_never())
            quit = Deadline::after(*options.quit_after);
    }
    if (request && request->refusal()) std::rethrow_exception(request->refusal());
}

} // namespace ipcbox::net
