// ipcbox-tls - speak TLS for another process, as net/tls_protocol.h says
#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"
#include "tls/sandbox.h"
#include "tls/session.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/core.h>
#include <span>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::tls {
namespace {

using namespace tls_protocol;

// Whoever started us is gone, or does not want what comes.
struct Abandoned {};

void say(const std::string& line) {
    const auto whole = line.substr(0, most_line - 1) + '\n';
    // It fits: the socket's buffer has nothing but such lines.
    sys::call("write", ::write, control, static_cast<const void*>(whole.data()), whole.size());
}

Config parse(std::span<char* const> arguments) {
    Config config;
    for (const std::string_view argument : arguments) {
        const auto key = argument.substr(0, argument.find('='));
        const std::string value{argument.substr(std::min(key.size() + 1, argument.size()))};
        if (key == "name")
            config.name = value;
        else if (key == "ca-file")
            config.ca_file = value;
        else if (key == "certificate")
            config.certificate = value;
        else if (key == "key")
            config.key = value;
        else if (key == "pins")
            config.pins = value;
        else if (key == "verification" && value == "off")
            config.verifies = false;
        else if (key == "unexpected-eof" && value == "end")
            config.ignores_unexpected_eof = true;
        else
            throw Error(fmt::format("ipcbox-tls does not know {}", argument), exit_status::usage);
    }
    return config;
}

// Both directions at once. Each has one buffer; when that cannot be passed on its source is not
// read, and the other direction goes on.
class Exchange {
  public:
    explicit Exchange(Session& session) : session_(session) {}

    void run() {
        shake_hands();
        while (!received_all_ || !sent_all_)
            if (const bool received = receive(); !send() && !received) wait();
    }

  private:
    // 256 KiB a write is as fast as it gets: the pipe holds 1 MiB, and this stays in the cache.
    static constexpr std::size_t received_size = 256UL * 1024;
    static constexpr std::size_t sent_size = 64UL * 1024;

    void shake_hands() {
        for (Outcome outcome{}; (outcome = session_.shake_hands()) != Outcome::done; wait())
            network_events_ = events_for(outcome);
        say(fmt::format("{}{}", ready, session_.description()));
        forbid_opening();
    }

    static short events_for(Outcome outcome) {
        return outcome == Outcome::wants_read    ? short{POLLIN}
               : outcome == Outcome::wants_write ? short{POLLOUT}
                                                 : short{0};
    }

    // The network's bytes go to the pipe; false when nothing moved.
    bool receive() {
        receive_events_ = plain_events_ = 0;
        if (received_all_) return false;
        if (received_.empty() && !ending_) fill();
        if (received_.empty()) {
            if (ending_) finish_receiving();
            return ending_.has_value();
        }
        const auto written = sys::call(
            "write", ::write, plain, static_cast<const void*>(received_.data()), received_.size());
        if (written < 0 && errno == EAGAIN) {
            plain_events_ = POLLOUT;
            return false;
        }
        if (written < 0 && errno != EINTR) throw Abandoned{};
        received_ = received_.subspan(static_cast<std::size_t>(std::max(written, ssize_t{0})));
        return true;
    }

    // As many records as are there, up to the buffer's size.
    void fill() {
        std::size_t filled = 0;
        try {
            while (filled < received_size && !ending_) {
                const auto step = session_.read(std::span{received_buffer_}.subspan(filled));
                filled += step.bytes;
                if (step.outcome == Outcome::ended) ending_ = closed;
                if (step.outcome == Outcome::done) continue;
                receive_events_ = events_for(step.outcome);
                break;
            }
        } catch (const Error& error) {
            ending_ = fmt::format("{}{}", cut, error.what());
            sent_all_ = true;
        }
        received_ = std::span{received_buffer_}.first(filled);
    }

    void finish_receiving() {
        say(*ending_);
        sys::call("close", ::close, plain);
        received_all_ = true;
    }

    // What we are given goes to the network; false when nothing moved.
    bool send() {
        send_events_ = control_events_ = 0;
        if (sent_all_) return false;
        try {
            if (to_send_.empty() && !closing_) return take();
            const auto step = closing_ ? Step{session_.close()} : session_.write(to_send_);
            send_events_ = events_for(step.outcome);
            if (step.outcome != Outcome::done) return false;
            to_send_ = to_send_.subspan(step.bytes);
            sent_all_ = closing_;
        } catch (const Error& error) {
            say(fmt::format("{}{}", unsent, error.what()));
            sys::call("shutdown", ::shutdown, control, SHUT_RD); // EPIPE for who goes on
            sent_all_ = true;
        }
        return true;
    }

    bool take() {
        const auto got = sys::call("read", ::read, control, static_cast<void*>(sent_buffer_.data()),
                                   sent_buffer_.size());
        if (got < 0 && errno != EAGAIN && errno != EINTR) throw Abandoned{};
        if (got < 0) {
            control_events_ = POLLIN;
            return false;
        }
        to_send_ = std::span{sent_buffer_}.first(static_cast<std::size_t>(got));
        closing_ = got == 0;
        return true;
    }

    void wait() {
        const auto events = static_cast<short>(network_events_ | receive_events_ | send_events_);
        // Without events poll(2) would still tell that a connection is gone, again and again.
        std::array entries{pollfd{events != 0 ? network : -1, events, 0},
                           pollfd{received_all_ ? -1 : plain, plain_events_, 0},
                           pollfd{control, control_events_, 0}};
        (void)poll_until(entries, Deadline::never());
        const bool nobody_reads = (entries[1].revents & POLLERR) != 0;
        const bool nobody_is_there = (entries[2].revents & (POLLERR | POLLHUP)) != 0;
        if (nobody_reads || nobody_is_there) throw Abandoned{};
        network_events_ = 0;
    }

    Session& session_;
    short network_events_ = 0; // of the handshake
    short receive_events_ = 0; // on the network
    short plain_events_ = 0;
    short send_events_ = 0; // on the network
    short control_events_ = 0;

    std::vector<char> received_buffer_ = std::vector<char>(received_size);
    std::span<const char> received_;
    std::optional<std::string> ending_; // the line for the end of what comes
    bool received_all_ = false;

    std::vector<char> sent_buffer_ = std::vector<char>(sent_size);
    std::span<const char> to_send_;
    bool closing_ = false;
    bool sent_all_ = false;
};

int run(std::span<char* const> arguments) {
    try {
        ::signal(SIGPIPE, SIG_IGN); // OpenSSL writes with write(2)
        Session session{network, parse(arguments)};
        enter_sandbox();
        Exchange{session}.run();
        return exit_status::done;
    } catch (const Abandoned&) {
        return exit_status::failed;
    } catch (const ConnectionBroken& broken) {
        say(fmt::format("{}{}", lost, broken.what()));
    } catch (const Error& error) {
        say(fmt::format("{}{} {}", failed, error.status(), error.what()));
    } catch (const std::exception& error) {
        say(fmt::format("{}{} {}", failed, exit_status::failed, error.what()));
    }
    return exit_status::failed;
}

} // namespace
} // namespace ipcbox::tls

int main(int count, char** arguments) {
    const std::span<char* const> words{arguments, static_cast<std::size_t>(count)};
    return ipcbox::tls::run(words.subspan(std::min<std::size_t>(words.size(), 1)));
}
