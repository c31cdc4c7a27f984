// A descriptor and its owner. Descriptors are close-on-exec from the start, and 0, 1 and 2 are
// never handed out, even when we were started with them closed. Otherwise text for standard output
// could land in a file that happened to get its number.
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

    // For a descriptor whose data could be lost: throws SysError when the kernel reports a late
    // write error of OBJECT. The number is free afterwards in any case (close(2): EINTR must not be
    // retried).
    void close(std::string_view object);

  private:
    explicit Fd(int number) noexcept : number_(number) {}

    int number_ = -1;
};

// The mode with which files are created; the umask takes bits away.
inline constexpr mode_t new_file_mode = 0666;

// openat(2) with O_CLOEXEC, retried on EINTR. Throws SysError "cannot open PATH".
[[nodiscard]] Fd open_file(const std::string& path, int flags, mode_t mode = 0);

// Gives up a descriptor that we were started with: closes it, except that a standard one leads to
// /dev/null from now on, so that nothing else ever gets its number. Throws SysError, even for a
// late write error, as Fd::close() does.
void let_go_of(int number, std::string_view object);

// Closes every descriptor except KEPT and the standard ones, including those that we were started
// with and that no Fd owns. For a process that stays and must keep nothing else busy.
void close_descriptors_except(const Fd& kept);
void close_descriptors_except(std::vector<int> kept);

// Raises the limit on our descriptors (RLIMIT_NOFILE, getrlimit(2)) to WANTED, or as far as the
// hard limit allows. Returns the new limit.
std::size_t raise_descriptor_limit(std::size_t wanted);

// Another descriptor of the same open file description. Throws SysError "cannot use OBJECT".
[[nodiscard]] Fd duplicate(int fd, std::string_view object);

// What FD leads to: S_IFREG, S_IFIFO and the like (inode(7)); 0 when that cannot be found out.
[[nodiscard]] mode_t file_kind(int fd) noexcept;

// Sets O_NONBLOCK.
void set_nonblocking(const Fd& fd);

// Whether a descriptor stays open when we execute a program, which is how a program inherits one.
enum class AcrossExec { close, keep };
void set_across_exec(const Fd& fd, AcrossExec fate);

} // namespace ipcbox
