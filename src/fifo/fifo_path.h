// The path at which a FIFO is served. Only one server at a time uses it. The file that was there is
// kept meanwhile, and restored at the end. In the directory of NAME there are:
//
//     NAME.orig            the regular file that was at NAME, until it is restored
//     .NAME.fifosig        held locked by the server (fcntl(2)) as long as it lives
//     .NAME.fifosig.N      FIFOs that are not at NAME just now
//
// If a server was killed, the next one cleans up. No file is ever replaced: names are exchanged
// (renameat2(2)), and then we look at the file that was there.
#pragma once

#include "core/fifo.h"

#include <optional>
#include <string>

namespace ipcbox::fifo {

class FifoPath {
  public:
    // Locks PATH for us. Throws Error when another server has it, SysError when its directory is
    // missing or may not be written.
    explicit FifoPath(const std::string& path);
    // Removes our FIFO from PATH, restores the file that was there, and removes our other files.
    // If another program has put a file at PATH meanwhile, that file stays, and the file that was
    // there before stays at PATH.orig.
    ~FifoPath();
    FifoPath(const FifoPath&) = delete;
    FifoPath& operator=(const FifoPath&) = delete;

    // A new FIFO, under a name of its own.
    [[nodiscard]] Fifo make_spare(mode_t mode);
    void remove_spare(const Fifo& spare) noexcept;

    enum class Stranger { take_over, refuse };
    // Puts SPARE at PATH, where none of our FIFOs is (yet, or any more). It keeps a regular file
    // that is there. A FIFO there is returned, under the spare's name, or refused. Throws Error for
    // anything else.
    [[nodiscard]] std::optional<Fifo> claim(Fifo& spare, Stranger stranger);
    // The FIFO that claim() returned is ours from now on. Without this call, it goes back to PATH.
    void keep_found() { found_name_.clear(); }

    // Puts SPARE at PATH, and gives CURRENT, which was there, the spare's name. False, with nothing
    // changed, when CURRENT is not there because it was removed or replaced.
    [[nodiscard]] bool exchange(Fifo& spare, Fifo& current);

    // Whether PATH is this FIFO.
    [[nodiscard]] bool has(const Fifo& fifo) const;

  private:
    void lock();
    void remove_spares() noexcept;
    void keep_original();
    void put_back() noexcept;
    [[nodiscard]] bool is_original_kept() const;
    [[nodiscard]] bool is_ours(const std::string& name) const noexcept;

    std::string path_;
    std::string name_;
    std::string lock_name_;
    std::string original_name_;
    Fd directory_;
    Fd lock_;
    std::optional<FileIdentity> ours_; // the FIFO that we put at PATH last
    std::string found_name_;           // of the FIFO that was there, as long as it is not ours
    unsigned spares_ = 0;
};

} // namespace ipcbox::fifo
