// A FIFO (fifo(7)) as its writer sees it: the inode, whatever its name is at the moment, and the
// write end while that is open. All functions throw SysError.
#pragma once

#include "core/fd.h"
#include "core/file_identity.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace ipcbox {

class Fifo {
  public:
    // Makes a FIFO with exactly these permission bits, regardless of the umask.
    [[nodiscard]] static Fifo make(const Fd& directory, const std::string& name, mode_t mode);
    // The FIFO that has this name, not through a symbolic link; nothing when there is none.
    [[nodiscard]] static std::optional<Fifo> find(const Fd& directory, const std::string& name);

    // Its name in its directory, as far as we know.
    std::string name;

    // Leads to this very inode, also after a rename (proc(5), /proc/PID/fd).
    [[nodiscard]] std::string path() const;
    // O_PATH: what name_to_handle_at(2) takes.
    [[nodiscard]] const Fd& inode() const { return inode_; }
    [[nodiscard]] const FileIdentity& identity() const { return identity_; }

    // The write end is also open for reading, and non-blocking. So open(2) needs no reader, and
    // write(2) never fails with EPIPE.
    void open_writer();
    // Opens the write end if another process has the FIFO open for reading, or waits in open(2) for
    // a writer and now gets in. False if there is no such process.
    [[nodiscard]] bool open_writer_if_read();
    // The readers still get the bytes that they have not read, then the end of file.
    void close_writer() { writer_ = Fd{}; }
    [[nodiscard]] bool is_open() const { return static_cast<bool>(writer_); }

    // All functions that follow need an open write end.

    // Whether another process has it open for reading.
    [[nodiscard]] bool has_readers();
    // Writes as much of TEXT as there is room for; returns the number of bytes. An empty FIFO has
    // room for at least PIPE_BUF bytes.
    [[nodiscard]] std::size_t write(std::string_view text);
    // How many bytes wait to be read.
    [[nodiscard]] std::size_t unread() const;
    // Throws away the bytes that wait to be read; returns their number.
    std::size_t discard_unread(); // NOLINT(modernize-use-nodiscard): it need not matter

  private:
    Fifo(Fd inode, std::string its_name, const struct stat& status)
        : name(std::move(its_name)), inode_(std::move(inode)), identity_(status) {}

    Fd inode_;
    Fd writer_;
    FileIdentity identity_;
};

} // namespace ipcbox
