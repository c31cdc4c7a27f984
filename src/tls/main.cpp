// ipcbox-tls - speak TLS for another process: for a client as net/tls_protocol.h says, for a
// server's program as tls/serve.h does
#include "core/error.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"
#include "tls/client.h"
#include "tls/exchange.h"
#include "tls/sandbox.h"
#include "tls/serve.h"

#include "core/number.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fmt/core.h>
#include <functional>
#include <span>
#include <string_view>
#include <unistd.h>

namespace ipcbox::tls {
namespace {

using namespace tls_protocol;
using Words = std::span<char* const>;

void say(const std::string& line) {
    const auto whole = line.substr(0, max_line - 1) + '\n';
    // This does not block: the socket's buffer holds only a few such lines.
    sys::call("write", ::write, control, static_cast<const void*>(whole.data()), whole.size());
}

// Calls TAKE(key, value) for each word "key=value". TAKE returns whether it knows the key.
void parse(Words words, const std::function<bool(std::string_view, const std::string&)>& take) {
    for (const std::string_view word : words) {
        const auto key = word.substr(0, word.find('='));
        const std::string value{word.substr(std::min(key.size() + 1, word.size()))};
        if (!take(key, value))
            throw Error(fmt::format("ipcbox-tls does not know {}", word), exit_status::usage);
    }
}

constexpr std::size_t max_alpn = 255; // RFC 7301, section 3.1

ClientConfig parse_client(Words words) {
    ClientConfig config;
    parse(words, [&config](std::string_view key, const std::string& value) {
        if (key == "name")
            config.name = value;
        else if (key == "ca-file")
            config.ca_file = value;
        else if (key == "ca-directory")
            config.ca_directory = value;
        else if (key == "min-version" && (value == "1.2" || value == "1.3"))
            config.min_version = value;
        else if (key == "max-version" && (value == "1.2" || value == "1.3"))
            config.max_version = value;
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
        else if (key == "alpn" && !value.empty() && value.size() <= max_alpn)
            config.alpn = value;
        else
            return false;
        return true;
    });
    return config;
}

ServePlan parse_server(Words words) {
    ServePlan plan;
    const auto end = std::ranges::find(words, std::string_view{"--"});
    parse(words.first(static_cast<std::size_t>(end - words.begin())),
          [&plan](std::string_view key, const std::string& value) {
              if (key == "certificate")
                  plan.config.certificate = value;
              else if (key == "key")
                  plan.config.key = value;
              else if (key == "client-ca")
                  plan.config.client_ca = value;
              else if (key == "handshake")
                  plan.handshake_ms = whole_number<long>(value);
              else if (key == "program")
                  plan.program = value;
              else
                  return false;
              return true;
          });
    if (end != words.end()) plan.words.assign(end + 1, words.end());
    return plan;
}

int run_client(Words words) {
    try {
        (void)::signal(SIGPIPE, SIG_IGN); // OpenSSL writes with write(2)
        Channel channel = make_client(network, parse_client(words));
        enter_sandbox();
        Exchange exchange{channel, {network, plain, control}, say};
        exchange.shake_hands(control);
        say(fmt::format("{}{}", ready, channel.description()));
        forbid_opening();
        exchange.run();
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

// Its errors go to the server's standard error.
int run_server(Words words) {
    try {
        const auto plan = parse_server(words);
        if (plan.words.empty()) {
            check(plan.config);
            return exit_status::done;
        }
        serve(plan);
    } catch (const Error& error) {
        const char* const client = std::getenv("TCPREMOTEIP");
        const auto line = fmt::format("ipcbox-tls: {}{}{}\n", client != nullptr ? client : "",
                                      client != nullptr ? ": " : "", error.what());
        sys::call("write", ::write, STDERR_FILENO, static_cast<const void*>(line.data()),
                  line.size());
        const bool is_exit_status = error.status() >= exit_status::timed_out;
        return is_exit_status ? error.status() : exit_status::failed;
    }
}

} // namespace
} // namespace ipcbox::tls

int main(int count, char** arguments) {
    using namespace ipcbox::tls;
    Words words{arguments, static_cast<std::size_t>(count)};
    words = words.subspan(std::min<std::size_t>(words.size(), 1));
    const bool serves = !words.empty() && words.front() == std::string_view{"serve"};
    return serves ? run_server(words.subspan(1)) : run_client(words);
}
