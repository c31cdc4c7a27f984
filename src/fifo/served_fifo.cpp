#include "fifo/served_fifo.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ipcbox::fifo {

namespace {

using namespace std::chrono_literals;

// A reader that opens the FIFO and does not read holds up the others for at most this time.
constexpr Duration patience = 1s;
// A reader may look up the name just before another FIFO takes it. It arrives within this time.
constexpr Duration straggling = 10ms;
// We wait for a barrier for at most this time. On a crowded machine, a barrier takes half a second
// or more, and the one that is under way has to end before the next one can begin.
constexpr Duration settling_time = 4s;

} // namespace

ServedFifo::ServedFifo(Fifo its_fifo, State state, Documents& documents, SchedulingBarrier& barrier)
    : fifo(std::move(its_fifo)), documents_(&documents), barrier_(&barrier), state_(state) {
    if (state_ == State::idle)
        fifo.open_writer();
    else
        end_of_file();
}

Duration ServedFifo::draining_for() const {
    if (state_ != State::draining && state_ != State::probing) return Duration::zero();
    return Deadline::Clock::now() - draining_since_;
}

void ServedFifo::opened() {
    if (!counted_) {
        if (state_ != State::idle) return;
        opened_ = 1;
        return begin_serving();
    }
    ++opened_;
    switch (state_) {
    case State::idle:
    case State::probing:
        // Together with this reader, the kernel may have let in others.
        has_company_ = state_ == State::probing;
        return begin_serving();
    case State::serving:
        settled_ = barrier_->next();
        return;
    case State::draining:
        // This reader may be too late for its document.
        due_ = Deadline::after(1ms);
        return;
    case State::spent:
        return;
    }
}

void ServedFifo::read() {
    reader_left_ = false;
    if (state_ == State::serving && in_turn_) {
        if (!due_.is_never()) due_ = Deadline::after(patience);
        return;
    }
    if (document_) documents_->delivered(*document_);
    document_.reset();
    // Give this reader its end of file now, so that it does not get the document of a reader that
    // we let in.
    if (state_ == State::probing) end_of_file();
}

void ServedFifo::closed() {
    ++closed_;
    // After a read, the first reader to leave is the one that read. The others had nothing to read.
    if (reader_left_) ++unserved_;
    reader_left_ = true;
}

void ServedFifo::begin_serving() {
    state_ = State::serving;
    settled_ = barrier_->next();
    due_ = Deadline::after(settling_time);
    if (!document_) return;
    // The document was written before, and nobody has read it. Its reader waits with the others,
    // unless it has left. If it reads at this very moment, it would then wait for another reader's
    // document. In that case, all get the end of file.
    if (take_back())
        --served_;
    else
        end_of_file();
}

// Takes the written document back, so that nobody gets it. False when some of it has been read.
bool ServedFifo::take_back() {
    const bool is_unread = fifo.discard_unread() == written_;
    if (is_unread)
        documents_->give_back(*std::move(document_));
    else
        documents_->delivered(*document_);
    document_.reset();
    return is_unread;
}

void ServedFifo::step() {
    switch (state_) {
    case State::serving:
        serve();
        break;
    case State::draining:
        break;
    case State::probing:
        if (!barrier_->passed(settled_)) barrier_->request();
        if (barrier_->passed(settled_) || due_.passed()) {
            const auto before = draining_since_;
            end_of_file();
            draining_since_ = before;
            // Look less and less often at a reader that keeps the FIFO open for long.
            due_ = Deadline::after(std::max(2 * straggling, draining_for()));
        }
        return;
    case State::idle:
    case State::spent:
        return;
    }
    if (state_ == State::draining) drain();
}

void ServedFifo::serve() {
    while (state_ == State::serving) {
        if (in_turn_ && !is_document_gone()) return;
        if (due_.passed()) return end_of_file();
        if (closed_ >= opened_ && !has_uncounted_reader()) return end_of_file();
        const int waiting = opened_ - unserved_ - served_;
        if (waiting <= 0) return end_of_file();
        const bool is_settled = barrier_->passed(settled_);
        const bool alone = waiting == 1 && opened_ - closed_ == 1 && (is_settled || !has_company_);
        if (!alone && !is_settled) return barrier_->request();
        document_ = documents_->take();
        if (!document_) {
            due_ = Deadline::never();
            return;
        }
        if (document_->text.empty()) {
            // The document is empty: one of the readers gets only the end of file.
            ++served_;
            documents_->delivered(*document_);
            document_.reset();
            due_ = Deadline::after(settling_time);
            continue;
        }
        written_ = 0;
        write_on();
        if (alone && written_ == document_->text.size()) {
            // Close at once. A reader that arrives later waits in open(2), and cannot take a part
            // of the document.
            ++served_;
            return end_of_file();
        }
        in_turn_ = true;
        due_ = alone ? Deadline::never() : Deadline::after(patience);
        return;
    }
}

void ServedFifo::write_on() {
    written_ += fifo.write(std::string_view{document_->text}.substr(written_));
}

// Whether the document has been read, or nobody is left to read it.
bool ServedFifo::is_document_gone() {
    write_on();
    const bool all_read = fifo.unread() == 0 && written_ == document_->text.size();
    if (!all_read && closed_ < opened_ && !due_.passed()) return false;
    in_turn_ = false;
    settled_ = barrier_->next();
    if (take_back()) return true;
    ++served_;
    due_ = Deadline::after(settling_time);
    return true;
}

// All readers that we counted have left. But the kernel merges several actions of one process into
// one event: open, close, open counts as one opener. So ask the pipe itself.
bool ServedFifo::has_uncounted_reader() {
    if (!fifo.has_readers()) return false;
    opened_ = closed_ + 1;
    unserved_ = opened_ - served_ - 1;
    settled_ = barrier_->next();
    return true;
}

void ServedFifo::end_of_file() {
    fifo.close_writer();
    state_ = State::draining;
    draining_since_ = Deadline::Clock::now();
    due_ = Deadline::after(straggling);
}

void ServedFifo::drain() {
    const bool somebody_is_there = closed_ < opened_;
    if (somebody_is_there && !due_.passed()) return;
    // A served reader still has to read the end of file. On a busy machine, it may do so later than
    // other readers read their documents. While our end is open, it would wait for one of those
    // documents.
    if (const auto left = patience - draining_for();
        somebody_is_there && !document_ && left > Duration::zero()) {
        due_ = Deadline::after(left);
        return;
    }
    if (fifo.open_writer_if_read()) {
        all_have_left_ = false;
        state_ = State::probing;
        settled_ = barrier_->next();
        // A reader that was let into open(2) is counted by opened() before that barrier.
        due_ = Deadline::after(settling_time);
    } else if (document_ && somebody_is_there && !std::exchange(all_have_left_, true)) {
        // The reader has left since we took the last events. If it has read the document, the
        // kernel told us before the reader left. So take the events once more.
        due_ = Deadline::after(Duration::zero());
    } else {
        finish();
    }
}

// Call it when no reader has the FIFO open.
void ServedFifo::finish() {
    if (document_) documents_->give_back(*std::move(document_));
    document_.reset();
    opened_ = closed_ = served_ = unserved_ = 0;
    reader_left_ = true;
    all_have_left_ = false;
    due_ = Deadline::never();
    if (!reusable_) {
        state_ = State::spent;
        return;
    }
    fifo.open_writer();
    state_ = State::idle;
}

void ServedFifo::lost_count() {
    if (state_ == State::spent) return;
    if (in_turn_) {
        in_turn_ = false;
        (void)take_back();
    }
    // The document may have been read, and must not go to a second reader.
    if (document_) documents_->delivered(*document_);
    document_.reset();
    opened_ = 1;
    closed_ = 0;
    end_of_file();
    due_ = Deadline::after(Duration::zero());
}

void ServedFifo::lost_name() {
    fifo.name.clear();
    reusable_ = false;
    // A reader that looked the name up earlier may still come.
    if (state_ == State::idle) end_of_file();
}

void ServedFifo::abandon() {
    // Its reader can still read the document, so it must not go to a second reader.
    if (document_) documents_->delivered(*document_);
    document_.reset();
    reusable_ = false;
    finish();
}

} // namespace ipcbox::fifo
