#include "fifo/document_fifo.h"

#include "core/error.h"
#include "core/process_stat.h"

#include <algorithm>
#include <exception>
#include <fmt/core.h>
#include <sys/resource.h>

namespace ipcbox::fifo {

namespace {

using namespace std::chrono_literals;

// At most this many FIFOs are in use, unless readers keep more of them open. Each costs two
// descriptors, and an unprivileged process has 1024.
constexpr std::size_t max_fifos = 200;
// Enough for the next readers while we empty the FIFOs of the readers before.
constexpr std::size_t spares_at_start = 4;
// After its end of file, a reader has this long to leave before we may take its FIFO.
constexpr Duration time_to_leave = 1s;

std::size_t fifos_within_limits() {
    constexpr rlim_t other_descriptors = 24;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= 3 * max_fifos) return max_fifos;
    const auto pairs =
        limit.rlim_cur < other_descriptors ? 0 : (limit.rlim_cur - other_descriptors) / 2;
    return std::clamp<std::size_t>(pairs, 2, max_fifos);
}

// A FIFO is opened many times through its descriptor, whatever its name is. See Fifo::path().
const std::string& path_with_proc(const std::string& path) {
    if (!has_proc()) throw Error(fmt::format("cannot serve {}: there is no /proc", path));
    return path;
}

} // namespace

DocumentFifo::DocumentFifo(const std::string& path, mode_t mode, Documents& documents,
                           FileEvents::Backend backend)
    : mode_(mode), max_fifos_(fifos_within_limits()), documents_(documents), events_(backend),
      path_(std::in_place, path_with_proc(path)) {
    while (spares_.size() < std::min(spares_at_start, max_fifos_))
        spares_.push_back(&add(path_->make_spare(mode_), ServedFifo::State::idle));
    current_ = &spare();
    if (auto found = path_->claim(current_->fifo, FifoPath::Stranger::take_over)) {
        try {
            active_.push_back(&add(*std::move(found), ServedFifo::State::draining));
        } catch (const SysError& error) {
            throw SysError("serve", path, error.error());
        }
        path_->keep_found();
    }
}

DocumentFifo::~DocumentFifo() {
    path_.reset();
    // A reader that looked up the name before we go may block in open(2) after we have closed our
    // ends. Let it in.
    for (const auto& [number, served] : fifos_)
        try {
            served->fifo.close_writer();
            (void)served->fifo.open_writer_if_read();
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): we are leaving anyway
        }
}

// From now on we get the FIFO's events. STATE tells what happened before.
ServedFifo& DocumentFifo::add(Fifo fifo, ServedFifo::State state) {
    // Open it before we watch it, or our own opening would look like a reader's.
    auto served = std::make_unique<ServedFifo>(std::move(fifo), state, documents_, barrier_);
    const int number = next_number_++;
    events_.watch(served->fifo, number);
    if (!events_.counts_openers()) served->expect_uncounted_openers();
    return *fifos_.emplace(number, std::move(served)).first->second;
}

ServedFifo& DocumentFifo::spare() {
    if (spares_.empty()) return add(path_->make_spare(mode_), ServedFifo::State::idle);
    ServedFifo* served = spares_.back();
    spares_.pop_back();
    return *served;
}

// Whether there is a spare FIFO, or room for one. When too many are in use, gives up the reader
// that has stayed longest after its end of file.
bool DocumentFifo::has_room() {
    if (!spares_.empty() || fifos_.size() < max_fifos_) return true;
    const auto oldest = std::ranges::max_element(active_, {}, &ServedFifo::draining_for);
    if (oldest == active_.end() || (*oldest)->draining_for() < time_to_leave) return false;
    (*oldest)->abandon();
    collect();
    return true;
}

Deadline DocumentFifo::deadline() const {
    Deadline first = current_->deadline();
    for (const ServedFifo* served : active_)
        first = std::min(first, served->deadline());
    return first;
}

void DocumentFifo::work() {
    barrier_.notice();
    // Read until no event is left. Then we have counted all readers that opened the FIFO before the
    // exchange.
    for (;;) {
        const auto& batch = events_.next();
        if (batch.events.empty() && !batch.overflow) break;
        for (const auto& event : batch.events)
            handle(event);
        if (batch.overflow) handle_overflow();
    }
    step_all();
}

void DocumentFifo::handle(const FileEvent& event) {
    const auto found = fifos_.find(event.file);
    if (found == fifos_.end()) return; // we gave it up a moment ago
    ServedFifo* served = found->second.get();
    if (event.opened) {
        const bool was_idle = served->is_idle();
        served->opened();
        if (served == current_)
            rotate();
        else if (was_idle && std::erase(spares_, served) > 0)
            active_.push_back(served); // its reader looked PATH up before
    }
    if (event.read) served->read();
    if (event.closed) served->closed();
    if (event.renamed && served == current_ && !path_->has(current_->fifo)) claim_again();
}

// Puts another FIFO at PATH. If no spare is left, readers that come in the meantime join the group.
void DocumentFifo::rotate() {
    if (!has_room()) return;
    ServedFifo& next = spare();
    if (path_->exchange(next.fifo, current_->fifo)) {
        active_.push_back(std::exchange(current_, &next));
    } else {
        spares_.push_back(&next);
        claim_again();
    }
}

// PATH no longer leads to our FIFO: it was removed or replaced.
void DocumentFifo::claim_again() {
    ServedFifo& next = spare();
    current_->lost_name();
    active_.push_back(std::exchange(current_, &next));
    (void)path_->claim(next.fifo, FifoPath::Stranger::refuse);
}

// Events were lost. Gives all readers the end of file and begins again.
void DocumentFifo::handle_overflow() {
    rotate();
    active_.insert(active_.end(), spares_.begin(), spares_.end());
    spares_.clear();
    for (ServedFifo* served : active_)
        served->lost_count();
    if (!path_->has(current_->fifo)) claim_again();
}

void DocumentFifo::step_all() {
    for (ServedFifo* served : active_)
        served->step();
    current_->step();
    collect();
    // It could not be exchanged when its reader came. Try again.
    if (!current_->is_idle()) rotate();
}

// Makes idle FIFOs spares again, and removes spent ones.
void DocumentFifo::collect() {
    std::erase_if(active_, [this](ServedFifo* served) {
        if (served->is_idle()) spares_.push_back(served);
        return served->is_idle();
    });
    const auto is_spent = [](const ServedFifo* served) {
        return served->state() == ServedFifo::State::spent;
    };
    if (std::erase_if(active_, is_spent) == 0) return;
    std::erase_if(fifos_, [&](const auto& entry) {
        const auto& [number, served] = entry;
        if (served.get() == current_ || !is_spent(served.get())) return false;
        path_->remove_spare(served->fifo);
        events_.forget(number);
        return true;
    });
}

} // namespace ipcbox::fifo
