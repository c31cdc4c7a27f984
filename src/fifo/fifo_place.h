// The name under which a FIFO server is found: it is taken for one server at a time, whatever file
// was there is kept safe meanwhile, and everything is put back at the end. Beside NAME, in its
// directory:
//
//     NAME.orig            the regular file that was at NAME, until it is put back
//     .NAME.fifosig        held locked by the server (fcntl(2)) as long as it lives
//     .NAME.fifosig.N      FIFOs that are not at NAME just now
//
// What a server that was killed left there is cleaned up by the next one. Nothing is ever replaced:
// names are exchanged (renameat2(2)), and what comes out is looked at.
#pragma once

#include "core/fifo.h"

#include <optional>
#include <string>

namespace ipcbox::fifo {

class FifoPlace {
  public:
    // Locks PATH for us. Throws Error when another server has it, SysError when its directory is
    // missing or not ours to write in.
    explicit FifoPlace(const std::string& path);
    // Removes our FIFO from PATH, puts back the file that was there, removes the rest. A file of
    // somebody else's that is at PATH by now stays, and ours stays at PATH.orig.
    ~FifoPlace();
    FifoPlace(const FifoPlace&) = delete;
    FifoPlace& operator=(const FifoPlace&) = delete;

    // A new FIFO, under a name of its own.
    [[nodiscard]] Fifo make_spare(mode_t mode);
    void remove_spare(const Fifo& spare) noexcept;

    enum class Stranger { take_over, refuse };
    // Puts SPARE at PATH, where ours is not (yet, or any more). A regular file is kept; a FIFO
    // comes back, under the spare's name, or is refused. Throws Error when there is anything else.
    [[nodiscard]] std::optional<Fifo> claim(Fifo& spare, Stranger stranger);

    // Puts SPARE at PATH and CURRENT, which is there, under the spare's name. False, with nothing
    // changed, when CURRENT is not there: it was removed or replaced.
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
    unsigned spares_ = 0;
};

} // namespace ipcbox::fifo
