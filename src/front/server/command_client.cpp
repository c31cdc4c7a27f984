#include "front/server/command_client.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/io.h"
#include "core/lost_connection.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ipcbox::front {

namespace {

constexpr std::size_t enough_to_send = 16UL * 1024;
// For a client that goes on sending.
constexpr auto patience = std::chrono::seconds{2};
constexpr int max_leave_reads = 16384;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string client_text() {
    if (const auto ip = variable("TCPREMOTEIP"); !ip.empty())
        return fmt::format("{}:{}", ip, variable("TCPREMOTEPORT"));
    return fmt::format("process {} of uid {}", variable("IPCREMOTEPID"), variable("IPCREMOTEEUID"));
}

} // namespace

CommandClient::CommandClient(const CommandPlan& plan) : plan_(plan), name_(client_text()) {}

void CommandClient::send(std::string_view text) {
    unsent_ += text;
    if (unsent_.size() >= enough_to_send) flush();
}

void CommandClient::flush() {
    try {
        write_all(STDOUT_FILENO, unsent_, "the client", Deadline::after_or_never(plan_.idle));
    } catch (const SysError& error) {
        lose(error);
    } catch (const TimedOut&) {
        log("ended: the client does not read");
        throw ClientGone{};
    }
    unsent_.clear();
}

std::optional<std::string> CommandClient::next_line() {
    const auto deadline = Deadline::after_or_never(plan_.idle);
    for (std::size_t searched = 0;;) {
        const auto end = heard_.find('\n', searched + heard_at_);
        if (end != std::string::npos && end - heard_at_ <= plan_.max_line) {
            auto line = heard_.substr(heard_at_, end - heard_at_);
            heard_at_ = end + 1;
            if (line.ends_with('\r')) line.pop_back();
            return line;
        }
        if (heard_.size() - heard_at_ > plan_.max_line) {
            refuse(fmt::format("the line is longer than {} bytes", plan_.max_line));
            return std::nullopt;
        }
        heard_.erase(0, std::exchange(heard_at_, 0));
        searched = heard_.size();
        if (!hear(deadline)) return std::nullopt;
    }
}

bool CommandClient::hear(Deadline deadline) {
    flush();
    std::array entries{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0}};
    if (poll_until(entries, deadline) == 0) {
        refuse(fmt::format("idle for {:g} s", in_seconds(*plan_.idle)));
        return false;
    }
    if (entries[1].revents != 0) throw SessionStopped{};
    std::array<std::byte, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    try {
        const auto read = read_some(STDIN_FILENO, buffer, "the client");
        heard_.append(reinterpret_cast<const char*>(buffer.data()), read);
        return read > 0;
    } catch (const SysError& error) {
        lose(error);
    }
}

void CommandClient::lose(const SysError& error) const {
    if (error.error() != EPIPE && !is_lost_connection(error.error())) trouble(error.what());
    throw ClientGone{};
}

void CommandClient::refuse(const std::string& why) {
    log("ended: " + why);
    if (plan_.json)
        send(cli::JsonLine{}.set("status", exit_status::failed).set("error", why).text());
    else
        send(fmt::format("\n{}; goodbye.\n", why));
    flush();
    take_leave();
}

// A close with input unread sends a reset, which can overtake the last line.
void CommandClient::take_leave() {
    sys::call("shutdown", ::shutdown, STDOUT_FILENO, SHUT_WR);
    const auto deadline = Deadline::after(patience);
    std::array entries{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0}};
    std::array<std::byte, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    try {
        // A client can send for ever.
        for (int reads = 0; reads < max_leave_reads; ++reads) {
            if (poll_until(entries, deadline) == 0 || entries[1].revents != 0) return;
            if (read_some(STDIN_FILENO, buffer, "the client") == 0) return;
        }
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): it has gone
    }
}

void CommandClient::log(const std::string& text) const {
    if (plan_.logs) trouble(text);
}

void CommandClient::trouble(const std::string& text) const {
    cli::diagnose_as(plan_.server, fmt::format("{}: {}", name_, text));
}

} // namespace ipcbox::front
