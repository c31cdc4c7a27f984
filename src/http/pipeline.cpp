#include "http/pipeline.h"

#include <algorithm>

namespace ipcbox::http {

namespace {

using Clock = Deadline::Clock;

// Bytes that are under way ahead at most: a server's receive buffer takes them, even if it does not
// read on before we take its responses.
constexpr std::size_t most_bytes_ahead = 32UL * 1024;

} // namespace

Response Pipeline::ask(const Request& request, const Ahead& ahead, Deadline deadline) {
    for (;;) {
        Milestones milestones;
        milestones.start = Clock::now();
        Line& line = line_for(request, milestones, deadline);
        const bool is_first = line.connection->responses() == 0;
        const bool in_line = line.sent.size() > 1;
        try {
            return ask_once(line, request, ahead, milestones, deadline);
        } catch (const ConnectionLost& lost) {
            const bool again = !is_first && request.idempotent && !lost.had_begun();
            if (in_line) depths_[line.key] = 1;
            drop(line);
            if (!again) throw;
        } catch (const ProtocolError&) {
            // Who answers what was sent ahead with nonsense may answer better when asked alone.
            const bool again = !is_first && in_line && request.idempotent;
            if (in_line) depths_[line.key] = 1;
            drop(line);
            if (!again) throw;
        } catch (...) {
            drop(line);
            throw;
        }
    }
}

// That over which it was sent ahead; else one that is free; else a new one.
Pipeline::Line& Pipeline::line_for(const Request& request, Milestones& milestones,
                                   Deadline deadline) {
    const auto was_sent = [&](const auto& line) {
        return line->key == request.way && !line->sent.empty() &&
               line->sent.front() == request.head && line->connection->is_open();
    };
    const auto is_free = [&](const auto& line) {
        return line->key == request.way && line->sent.empty() && line->connection->is_open() &&
               line->connection->is_quiet();
    };
    auto found = std::ranges::find_if(lines_, was_sent);
    if (found == lines_.end()) found = std::ranges::find_if(lines_, is_free);
    if (found != lines_.end() && !request.alone) {
        std::rotate(lines_.begin(), found, found + 1);
        milestones.resolved = milestones.connected = milestones.secured = milestones.start;
        return *lines_.front();
    }
    collect();
    auto line = std::make_unique<Line>();
    line->key = request.way;
    line->connection = open(request.route, options_, milestones, deadline);
    line->connection->set_before_wait(before_wait_);
    lines_.push_front(std::move(line));
    return *lines_.front();
}

Response Pipeline::ask_once(Line& line, const Request& request, const Ahead& ahead,
                            Milestones milestones, Deadline deadline) {
    Connection& connection = *line.connection;
    if (line.sent.empty()) {
        line.sent.push_back(request.head);
        // What the server says to a request that it did not take whole is read all the same.
        const bool sent = connection.send(request.head, deadline);
        if (sent && request.send_body) (void)request.send_body(connection, deadline);
    }
    send_ahead(line, request, ahead, deadline);
    Response response;
    response.head = connection.read_head(request.asked, deadline);
    line.sent.pop_front();
    line.kept = connection.keeps_alive() && response.head.version > 10;
    milestones.first_byte = Clock::now();
    response.connection = &connection;
    response.milestones = milestones;
    return response;
}

void Pipeline::send_ahead(Line& line, const Request& request, const Ahead& ahead,
                          Deadline deadline) {
    const auto known = depths_.find(line.key);
    const std::size_t depth = known == depths_.end() ? most_depth : known->second;
    // Many at a time: half of them are under way while the other half is answered.
    if (!line.kept || !request.may_wait_in_line || line.sent.size() > depth / 2) return;
    std::string bytes;
    while (line.sent.size() < depth && bytes.size() < most_bytes_ahead) {
        const Request* next = ahead(line.sent.size() - 1);
        if (next == nullptr || !next->may_wait_in_line || next->way != line.key) break;
        bytes += next->head;
        line.sent.push_back(next->head);
    }
    // If it cannot be sent, the next response will be missing.
    if (!bytes.empty()) (void)line.connection->send(bytes, deadline);
}

void Pipeline::drop(const Line& line) {
    std::erase_if(lines_, [&](const auto& other) { return other.get() == &line; });
}

// Connections that are of no more use, and those that were not used for longest.
void Pipeline::collect() {
    std::erase_if(lines_, [](const auto& line) { return !line->connection->is_open(); });
    while (lines_.size() > most_idle)
        lines_.pop_back();
}

} // namespace ipcbox::http
