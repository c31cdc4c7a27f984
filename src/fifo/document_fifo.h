// A FIFO at PATH from which each reader gets a whole document of its own.
//
// The FIFO at PATH is one of several. As soon as a reader has opened it, it changes places with a
// spare one (renameat2(2)), so that later readers open another inode. The few readers that came
// together are served as a group (fifo/served_fifo.h). When all of them have left, the inode
// becomes a spare again.
#pragma once

#include "fifo/fifo_path.h"
#include "fifo/file_events.h"
#include "fifo/served_fifo.h"

#include <array>
#include <memory>
#include <poll.h>
#include <string>
#include <unordered_map>
#include <vector>

namespace ipcbox::fifo {

class DocumentFifo {
  public:
    // Puts the FIFO at PATH. Throws as FifoPath does.
    DocumentFifo(const std::string& path, mode_t mode, Documents& documents,
                 FileEvents::Backend backend = FileEvents::Backend::best);
    // Readers that are still there get the end of file; none has to wait.
    ~DocumentFifo();
    DocumentFifo(const DocumentFifo&) = delete;
    DocumentFifo& operator=(const DocumentFifo&) = delete;

    // Call work() when one of these is ready, when deadline() has passed, and when a document has
    // become ready.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const {
        return {pollfd{events_.fd(), POLLIN, 0}, pollfd{barrier_.fd(), POLLIN, 0}};
    }
    [[nodiscard]] Deadline deadline() const;
    // Does everything that can be done without waiting. Throws Error when something is at PATH by
    // now that we must not touch.
    void work();

  private:
    ServedFifo& add(Fifo fifo, ServedFifo::State state);
    ServedFifo& spare();
    [[nodiscard]] bool has_room();
    void handle(const FileEvent& event);
    void handle_overflow();
    void rotate();
    void claim_again();
    void step_all();
    void collect();

    mode_t mode_;
    std::size_t max_fifos_;
    Documents& documents_;
    SchedulingBarrier barrier_;
    FileEvents events_;
    std::unordered_map<int, std::unique_ptr<ServedFifo>> fifos_; // by what events_ calls them
    int next_number_ = 0;
    std::vector<ServedFifo*> spares_;
    std::vector<ServedFifo*> active_; // neither at PATH nor spare
    ServedFifo* current_ = nullptr;
    std::optional<FifoPath> path_; // empty once PATH was restored
};

} // namespace ipcbox::fifo
