// One FIFO and its readers, each of which gets a whole document. It is a state machine: the caller
// reports what happens to the FIFO, and it says when step() has to be called again.
//
//     idle      our end is open, and there is no reader
//     serving   there are readers: documents are written, one after the other
//     draining  our end is closed: all get the end of file, until the last has left
//     probing   our end is open for a moment, because there may be a reader that was not counted
//     spent     the FIFO is of no more use
//
// A lone reader is served at once: write, close. Several readers of one inode get their documents
// in turn. So that none takes two, the second document is written only after the reader of the
// first one has left read(2), and while the others already wait in read(2). The scheduling barrier
// shows both.
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

// The supply of documents.
class Documents {
  public:
    Documents() = default;
    Documents(const Documents&) = delete;
    Documents& operator=(const Documents&) = delete;
    virtual ~Documents() = default;

    // The next document; nothing when it is not ready yet.
    [[nodiscard]] virtual std::optional<Document> take() = 0;
    // The document was not read; another reader can have it.
    virtual void give_back(Document document) = 0;
    // A reader has read it.
    virtual void delivered(const Document& document) = 0;
};

class ServedFifo {
  public:
    enum class State { idle, serving, draining, probing, spent };

    // An idle one; or one that is draining, because it was another server's and may have readers.
    ServedFifo(Fifo its_fifo, State state, Documents& documents, SchedulingBarrier& barrier);
    // From now on, opened() reports only the first opener, and also our own actions. So one reader
    // gets a document and the others get the end of file; then the FIFO is spent.
    void expect_uncounted_openers() { counted_ = reusable_ = false; }

    Fifo fifo;

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_idle() const { return state_ == State::idle; }
    // How long it has been draining; zero when it is not.
    [[nodiscard]] Duration draining_for() const;

    // What others have done to the FIFO.
    void opened();
    void read();
    void closed();
    // Events were lost: nothing more is written, and all readers get the end of file.
    void lost_count();
    // The FIFO has lost its name, so it is spent once its readers have left.
    void lost_name();
    // Gives up the readers that have not left, although they got the end of file. Only while
    // draining.
    void abandon();

    // Does what can be done now. Call it after reporting an event, when deadline() has passed, when
    // a barrier has ended, and when a document has become ready.
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
    int served_ = 0;             // documents written for them
    int unserved_ = 0;           // closed without having read anything
    bool reader_left_ = true;    // nobody has read since the last close
    bool all_have_left_ = false; // so the kernel says, but not all events have come

    std::optional<Document> document_; // written, and not known to be read
    std::size_t written_ = 0;          // how many of its bytes: the rest had no room yet
    bool in_turn_ = false;             // others wait until it is read
    bool has_company_ = false;         // maybe: others may be about to be opened()
    std::uint64_t settled_ = 0;        // the barrier after which all readers wait in read(2)
    Deadline due_ = Deadline::never();
    Deadline::Clock::time_point draining_since_{};
};

} // namespace ipcbox::fifo
