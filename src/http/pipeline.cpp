#include "http/pipeline.h"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>

namespace ipcbox::http {

namespace {

using namespace std::chrono_literals;

// At most this many bytes are sent ahead. They fit into a server's receive buffer, even if the
// server does not read further before we take its answers.
constexpr std::size_t max_bytes_ahead = 32UL * 1024;

// When a server has not answered a request sent ahead within this time, nor within four times its
// slowest answer, it may never do so.
constexpr Duration min_stall = 250ms;
constexpr int patience = 4;

// Whether a server may give this status only because we sent requests ahead. It may have taken them
// for a single request that is too long or makes no sense, or they came too fast. It would have
// answered them one by one.
bool may_refuse_pipelining(int status) {
    constexpr int refusals[] = {400, 405, 408, 411, 413, 414, 417, 421, 425,
                                429, 431, 500, 501, 502, 503, 504, 505};
    return std::ranges::find(refusals, status) != std::end(refusals);
}

// The server does not answer requests that were sent ahead.
class Stalled : public std::exception {};

} // namespace

bool Pipeline::looks_ahead(const Request& request) const {
    if (!request.may_wait_in_line) return false;
    const auto host = hosts_.find(request.way);
    if (host != hosts_.end() && host->second.depth < 2) return false;
    return std::ranges::any_of(
        lines_, [&](const auto& line) { return line->key == request.way && line->kept; });
}

Response Pipeline::ask(const Request& request, std::span<const Request> ahead, Deadline deadline) {
    Milestones milestones;
    milestones.start = Clock::now();
    Line& line = line_for(request, milestones, deadline);
    const bool is_first = line.connection->responses() == 0;
    const bool was_ahead = !line.sent.empty() && line.sent.front().ahead;
    const bool in_line = was_ahead || line.sent.size() > 1;
    const auto give_up = [&](bool may_ask_again) {
        if (in_line) serialize(request);
        drop(line);
        if (!may_ask_again) throw;
    };
    try {
        auto response = ask_once(line, request, ahead, milestones, deadline);
        if (!was_ahead || !may_refuse_pipelining(response.head.status)) return response;
        serialize(request);
        drop(line);
    } catch (const ConnectionLost& lost) {
        give_up(!is_first && request.idempotent && (!lost.had_begun() || in_line));
    } catch (const ProtocolError&) {
        // A server that answers requests sent ahead with nonsense may do better with one at a time.
        give_up(!is_first && in_line && request.idempotent);
    } catch (const Stalled&) {
        serialize(request);
        drop(line);
    } catch (...) {
        drop(line);
        throw;
    }
    return ask_alone(request, deadline);
}

// Asks a second and last time, on a new connection.
Response Pipeline::ask_alone(const Request& request, Deadline deadline) {
    Milestones milestones;
    milestones.start = Clock::now();
    Line& line = new_line(request, milestones, deadline);
    try {
        return ask_once(line, request, {}, milestones, deadline);
    } catch (...) {
        drop(line);
        throw;
    }
}

// The connection that the request was sent over ahead of time. If there is none, a free connection.
Pipeline::Line* Pipeline::find_line(const Request& request) {
    const auto was_sent = [&](const auto& line) {
        return line->key == request.way && !line->sent.empty() &&
               line->sent.front().head == request.head && line->connection->is_open();
    };
    const auto is_free = [&](const auto& line) {
        return line->key == request.way && line->sent.empty() && line->connection->is_open();
    };
    // The server has closed it, or has sent something that nobody asked for.
    const auto is_dead = [&](const auto& line) {
        return is_free(line) && !line->connection->is_quiet();
    };
    if (request.alone) return nullptr;
    auto found = std::ranges::find_if(lines_, was_sent);
    if (found == lines_.end()) {
        std::erase_if(lines_, is_dead);
        found = std::ranges::find_if(lines_, is_free);
    }
    if (found == lines_.end()) return nullptr;
    std::rotate(lines_.begin(), found, found + 1);
    return lines_.front().get();
}

Pipeline::Line& Pipeline::line_for(const Request& request, Milestones& milestones,
                                   Deadline deadline) {
    if (Line* line = find_line(request)) {
        milestones.resolved = milestones.connected = milestones.secured = milestones.start;
        return *line;
    }
    return new_line(request, milestones, deadline);
}

Pipeline::Line& Pipeline::new_line(const Request& request, Milestones& milestones,
                                   Deadline deadline) {
    collect();
    auto line = std::make_unique<Line>();
    line->key = request.way;
    line->connection = open(request.route, options_, milestones, deadline);
    line->connection->set_before_wait(before_wait_);
    lines_.push_front(std::move(line));
    return *lines_.front();
}

Response Pipeline::ask_once(Line& line, const Request& request, std::span<const Request> ahead,
                            Milestones milestones, Deadline deadline) {
    Connection& connection = *line.connection;
    if (line.sent.empty()) {
        line.sent.push_back({request.head, false});
        connection.send(request.head, request.body);
    }
    send_ahead(line, request, ahead);
    Host& host = hosts_[line.key];
    if (line.sent.front().ahead) {
        const auto stall = Deadline::after(std::max(min_stall, patience * host.slowest));
        if (!connection.wait_for_answer(std::min(stall, deadline)) && !deadline.passed())
            throw Stalled{};
    }
    Response response;
    response.head = connection.read_head(request.asked, deadline);
    milestones.first_byte = Clock::now();
    host.slowest = std::max(host.slowest, Duration{milestones.first_byte - milestones.secured});
    line.sent.pop_front();
    if (request.leaves_body) connection.retire();
    line.kept = connection.keeps_alive() && response.head.version > 10;
    had_followers_ = !line.sent.empty();
    response.connection = &connection;
    response.milestones = milestones;
    return response;
}

// The number of requests sent ahead grows as long as answers come. We send many at once: half of
// them are under way while the server answers the other half.
void Pipeline::send_ahead(Line& line, const Request& request, std::span<const Request> ahead) {
    if (!line.kept || !request.may_wait_in_line) return;
    Host& host = hosts_[line.key];
    if (line.sent.size() > host.depth / 2) return;
    const bool was_used = line.sent.front().ahead;
    if (was_used && host.depth > 1) host.depth = std::min(host.depth * 2, max_depth);
    std::string bytes;
    while (line.sent.size() < host.depth && bytes.size() < max_bytes_ahead) {
        const auto position = line.sent.size() - 1;
        if (position >= ahead.size()) break;
        const Request& next = ahead[position];
        if (!next.may_wait_in_line || next.way != line.key) break;
        bytes += next.head;
        line.sent.push_back({next.head, true});
    }
    // If this fails, we notice when the next answer is missing.
    if (!bytes.empty()) line.connection->send(bytes);
}

void Pipeline::drop(const Line& line) {
    std::erase_if(lines_, [&](const auto& other) { return other.get() == &line; });
}

// Closes connections that nobody can use any more, and those that have been unused for longest.
void Pipeline::collect() {
    std::erase_if(lines_, [](const auto& line) { return !line->connection->is_open(); });
    while (lines_.size() > max_idle)
        lines_.pop_back();
}

} // namespace ipcbox::http
