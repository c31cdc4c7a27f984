// A descriptor and its owner. Descriptors are close-on-exec from birth, and 0, 1 and 2 are never
// handed out, even when we were started with them closed: what is written to stdout must never
// land in a file that happened to get its number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace ipcbox {

class Fd {
  public:
    Fd() noexcept = default;
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Fd();

    // Takes over what a system call returned. A number below 3 is moved up, with close-on-exec set.
    // Throws SysError if that fails.
    [[nodiscard]] static Fd adopt(int number);

    [[nodiscard]] int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

    // Gives up ownership.
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

    // Closes where data could be lost: throws SysError when the kernel reports a late write error
    // of OBJECT. The number is free afterwards in any case (close(2): EINTR is not to be retried).
    void close(std::string_view object);

  private:
    explicit Fd(int number) noexcept : number_(number) {}

    int number_ = -1;
};

// Of a file that is made: as far as the umask allows.
inline constexpr mode_t new_file_mode = 0666;

// openat(2) with O_CLOEXEC, retried on EINTR. Throws SysError "cannot open PATH".
[[nodiscard]] Fd open_file(const std::string& path, int flags, mode_t mode = 0);

// Lets go of a descriptor that we were started with: closes it, but a standard one leads to
// /dev/null from now on, so that nothing else ever gets its number. Throws SysError, also for a
// late write error as Fd::close() does.
void let_go_of(int number, std::string_view object);

// Closes every descriptor but KEPT and the standard ones, also those that we were started with and
// that are nobody's Fd: for a process that is going to stay and must keep nothing else busy.
void close_descriptors_except(const Fd& kept);
void close_descriptors_except(std::vector<int> kept);

// Raises the limit on our descriptors (RLIMIT_NOFILE, getrlimit(2)) to WANTED or as near to that as
// the hard limit is; what it is then.
std::size_t raise_descriptor_limit(std::size_t wanted);

// Another descriptor of the same opening. Throws SysError "cannot use OBJECT".
[[nodiscard]] Fd duplicate(int fd, std::string_view object);

// What FD leads to: S_IFREG, S_IFIFO and the like (inode(7)); 0 when that cannot be found out.
[[nodiscard]] mode_t file_kind(int fd) noexcept;

// Sets O_NONBLOCK.
void set_nonblocking(const Fd& fd);

// What becomes of a descriptor when we execute a program: to hand one over to it.
enum class AcrossExec { close, keep };
void set_across_exec(const Fd& fd, AcrossExec fate);

} // namespace ipcbox
