#include "net/tls_process.h"

#include "core/io.h"
#include "core/number.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/program.h"
#include "core/socket_pair.h"
#include "core/spawn.h"
#include "core/syscall.h"
#include "core/words.h"
#include "net/tls_protocol.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::net {

using namespace tls_protocol;

namespace {

constexpr std::string_view pin_kind = "sha256//";
constexpr std::size_t pin_size = pin_kind.size() + 44; // 32 bytes in base64

std::vector<std::string> arguments_for(const std::string& program, const TlsOptions& options) {
    std::vector<std::string> arguments{program, "name=" + options.name};
    const auto add = [&](std::string_view key, const std::optional<std::string>& value) {
        if (value) arguments.push_back(fmt::format("{}={}", key, *value));
    };
    add("ca-file", options.ca_file);
    add("ca-directory", options.ca_directory);
    add("min-version", options.min_version);
    add("max-version", options.max_version);
    add("certificate", options.certificate);
    add("key", options.key);
    add("pins", options.pins);
    if (options.insecure) arguments.emplace_back("verification=off");
    if (options.ignore_unexpected_eof) arguments.emplace_back("unexpected-eof=end");
    add("alpn", options.application_protocol);
    return arguments;
}

} // namespace

std::string tls_program() {
    std::vector<std::string> places;
    if (const char* named = std::getenv("IPCBOX_TLS"); named != nullptr && *named != '\0') {
        places.emplace_back(named);
    } else {
        const auto own = own_program();
        places.push_back(own.substr(0, own.rfind('/')) + "/ipcbox-tls");
        places.emplace_back(IPCBOX_LIBEXEC "/ipcbox-tls");
    }
    for (const auto& place : places)
        if (sys::call("access", ::access, place.c_str(), X_OK) == 0) return place;
    throw Error(
        fmt::format("cannot speak TLS: ipcbox-tls was not found ({})", fmt::join(places, ", ")));
}

Child spawn_tls(const std::string& program, std::span<const std::string> arguments,
                const SpawnPlan& plan) try {
    return spawn(program, arguments, plan);
} catch (Error& error) {
    error.set_status(exit_status::failed);
    throw;
}

std::string parse_pins(std::string_view text) {
    for (std::string_view left = text;;) {
        const auto pin = left.substr(0, left.find(';'));
        if (pin.size() != pin_size || !pin.starts_with(pin_kind))
            throw std::invalid_argument("expected sha256//BASE64, separated by ;");
        if (pin.size() == left.size()) return std::string{text};
        left.remove_prefix(pin.size() + 1);
    }
}

bool TlsError::is_broken_handshake() const noexcept {
    return number_ == handshake_failed;
}

TlsProcess::TlsProcess(Fd socket, const TlsOptions& options) : name_(options.name) {
    const auto program = tls_program();
    Pipe pipe = make_pipe();
    SocketPair pair = make_socket_pair();
    widen_pipe(pipe.reader.get());
    for (const Fd* fd : {&socket, &pipe.reader, &pipe.writer, &pair.ours, &pair.theirs})
        set_nonblocking(*fd);
    SpawnPlan plan;
    plan.input = socket.get();
    plan.output = pipe.writer.get();
    plan.error = pair.theirs.get();
    plan.group = ProcessGroup::own; // ^C must reach only us: we decide what it ends
    plan.no_new_privileges = true;
    child_ = spawn_tls(program, arguments_for(program, options), plan);
    const Fd given_away = std::move(socket);
    in_ = std::move(pipe.reader);
    out_ = std::move(pair.ours);
}

TlsProcess::TlsProcess(Fd socket, const TlsOptions& options, Deadline deadline)
    : TlsProcess(std::move(socket), options) {
    try {
        while (description_.empty())
            (void)hear(deadline);
    } catch (const TimedOut&) {
        throw TimedOut(fmt::format("the TLS handshake with {}", name_));
    }
}

std::optional<std::string> TlsProcess::next_line(Deadline deadline) {
    for (;;) {
        if (const auto end = heard_.find('\n'); end != std::string::npos) {
            auto line = heard_.substr(0, end);
            heard_.erase(0, end + 1);
            return line;
        }
        std::array<char, max_line> buffer{};
        std::size_t got = 0;
        try {
            const auto room = std::as_writable_bytes(std::span{buffer});
            got =
                heard_.size() < max_line ? read_some(out_.get(), room, "ipcbox-tls", deadline) : 0;
        } catch (const SysError& error) {
            if (error.error() != ECONNRESET) throw; // it ended before it read all
        }
        if (got == 0) return std::nullopt;
        heard_.append(buffer.data(), got);
    }
}

// The line that came where we expected a status line. Without one, how the process ended.
std::string TlsProcess::last_words() {
    if (unknown_.empty()) unknown_ = heard_;
    if (!unknown_.empty()) return unknown_;
    const auto status = child_.wait_until(Deadline::after(std::chrono::seconds{1}));
    unknown_ = "ipcbox-tls: " + (status ? status->text() : "no answer");
    return unknown_;
}

bool TlsProcess::hear(Deadline deadline) {
    const auto line = next_line(deadline);
    if (!line && description_.empty())
        throw Error(fmt::format("cannot speak TLS: {}", last_words()));
    if (!line && !ended_well_)
        throw TlsError(fmt::format("cannot read {} to its end: {}", name_, last_words()), cut_off);
    if (!line) return false;
    std::string_view words = *line;
    const auto says = [&words](std::string_view word) {
        const bool so = words.starts_with(word);
        if (so) words.remove_prefix(word.size());
        return so;
    };
    if (says(ready)) {
        description_ = words;
    } else if (says(lost)) {
        throw TlsError(fmt::format("cannot speak TLS with {}: {}", name_, words), handshake_failed,
                       TlsError::ConnectionLost::yes);
    } else if (says(closed)) {
        ended_well_ = true;
    } else if (says(failed)) {
        const auto number = take_until(words, ' ');
        throw TlsError(fmt::format("cannot speak TLS with {}: {}", name_, words),
                       whole_number<int>(number).value_or(handshake_failed));
    } else if (says(cut)) {
        throw TlsError(fmt::format("cannot read {} to its end: {}", name_, words), cut_off);
    } else if (says(unsent)) {
        throw TlsError(fmt::format("cannot send all to {}: {}", name_, words), not_sent);
    } else if (unknown_.empty()) {
        unknown_ = words;
    }
    return true;
}

void TlsProcess::check() {
    const auto now = Deadline::after(Duration::zero());
    while (heard_.find('\n') != std::string::npos || wait_for(out_.get(), POLLIN, now))
        if (!hear(now)) return;
}

void TlsProcess::check_end(Deadline deadline) {
    sys::call("shutdown", ::shutdown, out_.get(), SHUT_WR);
    while (hear(deadline))
        ;
}

} // namespace ipcbox::net
