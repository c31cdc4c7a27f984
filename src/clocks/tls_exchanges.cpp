#include "clocks/tls_exchanges.h"

#include "core/error.h"
#include "core/event.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/thread.h"
#include "net/connect.h"
#include "net/unreachable.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <poll.h>
#include <span>
#include <utility>

namespace ipcbox::clocks {

namespace {

// The errno that a text ends with: "cannot connect to 192.0.2.1:443: Connection refused". 0 for any
// other text.
int error_at_end(std::string_view text) {
    constexpr int usual[] = {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH};
    for (const int error : usual)
        if (text.ends_with(error_text(error))) return error;
    return 0;
}

} // namespace

// Shared with the threads, which may still wait for an answer when the object is gone.
struct TlsExchanges::State {
    struct Result {
        std::uint64_t serial;
        Exchange exchange;
    };

    net::TlsOptions options;
    Event finished;
    std::mutex mutex;
    std::vector<Result> results;

    explicit State(net::TlsOptions wanted) : options(std::move(wanted)) {}

    void hand_over(std::uint64_t serial, Exchange exchange) {
        const std::lock_guard lock{mutex};
        results.push_back({serial, std::move(exchange)});
        finished.signal();
    }

    void ask(const Request& request, Deadline deadline, Exchange& exchange) const {
        const std::array addresses{request.address};
        auto tls_options = options;
        tls_options.name = request.name;
        net::TlsProcess tls{
            net::connect_tcp(addresses, request.address.text(), std::nullopt, deadline),
            tls_options, deadline};
        // Start the time now, after the handshake: the server cannot read its clock before we ask.
        const auto asked = std::chrono::steady_clock::now();
        write_all(tls.out(), request.question, request.name, deadline);
        std::array<std::byte, 4096> buffer;
        while (exchange.bytes.size() < max_answer_bytes(Source::https) &&
               progress(Source::https, exchange.bytes) != Progress::complete) {
            const auto size = read_some(tls.in(), buffer, request.name, deadline);
            if (size == 0) return tls.check();
            if (exchange.bytes.empty())
                exchange.timing = {std::chrono::system_clock::now(),
                                   std::chrono::steady_clock::now() - asked};
            exchange.bytes.append(reinterpret_cast<const char*>(buffer.data()), size);
        }
    }

    [[nodiscard]] Exchange exchange_of(std::size_t number, const Request& request,
                                       Deadline deadline) const {
        Exchange exchange;
        exchange.number = number;
        try {
            ask(request, deadline, exchange);
            return exchange;
        } catch (const TimedOut&) {
            exchange.error = ETIMEDOUT;
        } catch (const net::Unreachable& error) {
            exchange.error = error_at_end(error.what());
            if (exchange.error == 0) exchange.problem = error.what();
        } catch (const std::exception& error) {
            exchange.problem = error.what();
        }
        exchange.outcome = Exchange::Outcome::failed;
        return exchange;
    }
};

TlsExchanges::TlsExchanges(net::TlsOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

TlsExchanges::~TlsExchanges() = default;

void TlsExchanges::start(std::size_t number, Request request, Deadline deadline) {
    const auto serial = ++last_serial_;
    start_thread([state = state_, number, serial, request = std::move(request), deadline] {
        state->hand_over(serial, state->exchange_of(number, request, deadline));
    }).detach();
    serials_[number] = serial;
}

void TlsExchanges::give_up(std::size_t number) {
    serials_.erase(number);
}

int TlsExchanges::fd() const noexcept {
    return state_->finished.fd();
}

void TlsExchanges::work(std::vector<Exchange>& results) {
    std::vector<State::Result> all;
    {
        const std::lock_guard lock{state_->mutex};
        state_->finished.clear();
        all = std::exchange(state_->results, {});
    }
    for (auto& [serial, exchange] : all) {
        const auto known = serials_.find(exchange.number);
        if (known == serials_.end() || known->second != serial) continue; // the survey gave it up
        serials_.erase(known);
        results.push_back(std::move(exchange));
    }
}

} // namespace ipcbox::clocks
