// Reports when a file is opened, read, closed, moved or unlinked, as it happens. It uses
// fanotify(7) by file handle, which needs no privilege (Linux 5.13) and gives one event for each
// opener. If that is not allowed (as in many containers), or the file system has no handles, it
// uses inotify(7), which merges equal events, so that several openers can look like one.
#pragma once

#include "core/fd.h"
#include "core/fifo.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace ipcbox::fifo {

struct FileEvent {
    int file = 0; // the number that watch() was given
    bool opened = false;
    bool read = false;    // at least one byte
    bool closed = false;  // by a process that had it open for reading only
    bool renamed = false; // or unlinked, or its mode changed
};

class FileEvents {
  public:
    enum class Backend { best, inotify };

    explicit FileEvents(Backend backend = Backend::best);

    // Readable when something has happened.
    [[nodiscard]] int fd() const { return queue_.get(); }
    // Whether each opener causes an event, and our own actions cause none. This is known after the
    // first watch(). If so, only events of one process are merged, such as an open with a later
    // close.
    [[nodiscard]] bool counts_openers() const { return kind_ == Kind::fanotify; }

    // Reports what happens to FIFO from now on, as events of FILE. Throws SysError.
    void watch(const Fifo& fifo, int file);
    void forget(int file);

    // Some of the events that were not reported yet; the next call has the rest.
    struct Batch {
        std::vector<FileEvent> events;
        bool overflow = false; // events were lost
    };
    // Empty when there is nothing more.
    [[nodiscard]] const Batch& next();

  private:
    enum class Kind { undecided, fanotify, inotify };

    [[nodiscard]] bool try_fanotify(const Fifo& fifo, int file);
    void use_inotify();
    void read_fanotify(const char* from, std::size_t size);
    void read_inotify(const char* from, std::size_t size);
    void add(const std::string& key, FileEvent event);

    Kind kind_;
    Fd queue_;
    // The file's handle, or the watch descriptor's digits.
    std::unordered_map<std::string, int> files_;
    Batch batch_;
};

} // namespace ipcbox::fifo
