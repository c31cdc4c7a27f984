// One FIFO, those who have it open, and how each of them gets one whole document: a state machine
// that is told what happens to the FIFO and says itself when it wants to be asked again.
//
//     idle      open for writing, nobody there
//     serving   somebody is there: documents are written, one after the other
//     draining  our end is closed, all get the end of file; until everybody has left
//     probing   our end is open for a moment, because there may be somebody who was not counted
//     spent     of no more use
//
// A lone reader is served in one go: write, close. Several readers of one inode get their documents
// in turn: nothing stops a reader from taking two but that the second is not written before the
// first one's taker has left read(2), and that the others wait in read(2) already. The scheduling
// barrier takes care of both.
#pragma once

#include "core/deadline.h"
#include "core/fifo.h"
#include "fifo/scheduling_barrier.h"

#include <optional>
#include <string>

namespace ipcbox::fifo {

struct Document {
    std::string text;
    std::string error; // why there is no text
};

// Where documents come from.
class Documents {
  public:
    Documents() = default;
    Documents(const Documents&) = delete;
    Documents& operator=(const Documents&) = delete;
    virtual ~Documents() = default;

    // The next document; nothing when it is not ready yet.
    [[nodiscard]] virtual std::optional<Document> take() = 0;
    // It was not read: somebody else may have it.
    virtual void give_back(Document document) = 0;
    // Somebody read it.
    virtual void delivered(const Document& document) = 0;
};

class ServedFifo {
  public:
    enum class State { idle, serving, draining, probing, spent };

    // An idle one, or one that is draining because it was another's: somebody may be there.
    ServedFifo(Fifo its_fifo, State state, Documents& documents, SchedulingBarrier& barrier);
    // opened() comes for the first opener, and for what we do ourselves: one reader gets a
    // document, the others the end of file, and then the FIFO is spent.
    void expect_uncounted_openers() { counted_ = reusable_ = false; }

    Fifo fifo;

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_idle() const { return state_ == State::idle; }
    // How long it has been draining; zero when it is not.
    [[nodiscard]] Duration draining_for() const;

    // What others have done to it.
    void opened();
    void read();
    void closed();
    // We may have missed anything: nothing more is written, and all who are there get the end of
    // file.
    void lost_count();
    // It has lost its name, so it will be spent when nobody is there.
    void lost_name();
    // Gives up whoever has it open: they got the end of file long ago. Only while draining.
    void abandon();

    // Does what can be done now. Call it after telling what happened, when deadline() has passed,
    // when a barrier has ended and when a document has become ready.
    void step();
    [[nodiscard]] Deadline deadline() const { return due_; }

  private:
    void begin_serving();
    void serve();
    [[nodiscard]] bool take_back();
    void write_on();
    [[nodiscard]] bool is_document_gone();
    [[nodiscard]] bool has_uncounted_reader();
    void end_of_file();
    void drain();
    void finish();

    Documents* documents_;
    SchedulingBarrier* barrier_;
    State state_;
    bool counted_ = true;
    bool reusable_ = true;

    int opened_ = 0;
    int closed_ = 0;
    int served_ = 0;          // documents written for them
    int unserved_ = 0;        // closed without having read anything
    bool reader_left_ = true; // nobody has read since the last close

    std::optional<Document> document_; // written, and not known to be read
    std::size_t written_ = 0;          // so many bytes of it: the rest found no room yet
    bool in_turn_ = false;             // others wait until it is read
    bool has_company_ = false;         // maybe: others may be about to be opened()
    std::uint64_t settled_ = 0;        // the barrier after which everybody is where he waits
    Deadline due_ = Deadline::never();
    Deadline::Clock::time_point draining_since_{};
};

} // namespace ipcbox::fifo
