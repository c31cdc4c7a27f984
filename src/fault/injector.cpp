// The fault injector of the twin binary ipcbox-fault: it is asked before every system call of the
// core (core/syscall.h), and IPCBOX_FAULT tells it which of them to fail.
//
// Why a second binary and not LD_PRELOAD: the binary that we ship is a static PIE, into which
// nothing can be preloaded. A preloaded library would also miss calls that go through no symbol
// (the child of clone(2) inside libc, builtins, raw syscalls), and would make libc's own calls
// fail, even before main. ptrace(2) and seccomp(2) reach everything, but slowly, and they cannot
// see whether a semop could have waited. So the faults are injected at the core's own call point.
// The twin differs from the shipped binary in nothing else, and the shipped binary contains nothing
// of this room.
//
// A fault is injected only if the kernel can really return it (fault/failures.h). A call that is
// not in that table stops the twin, so that no new call is forgotten.
//
// IPCBOX_FAULT_MARK names a file to which "CALL: ERROR" is appended for each fault: a sweep over
// the Nth call is over when nothing is appended any more. IPCBOX_FAULT_SITES names a file for the
// places of all calls and what happened there (tests/fault/sites), in a twin that is not optimised.
//
// A server that restarts, and the sessions of a server, are programs of their own: each counts its
// own calls. IPCBOX_FAULT_IN names a variable: calls fail only in programs that were started with
// it. IPCBOX_FAULT_FROM names a file: calls are counted once it is there, and until one has failed.
//
// IPCBOX_FAULT_DELAY makes a busy machine: every fourth call, at random, begins up to so many
// microseconds late. A test that fails then has taken something for done that is only likely.
#include "core/syscall.h"
#include "fault/failures.h"
#include "fault/plan.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ipcbox::sys::detail {

#ifndef __OPTIMIZE__
extern const char start_of_program[] __asm__("__executable_start"); // ld(1)
#endif

namespace {

using fault::Arguments;
using fault::can_fail;
using fault::name_of_error;
using fault::Plan;
using fault::short_count;

// Appends a line to the file. It uses raw calls, for which no fault is injected.
void leave(const char* path, const std::string& line) {
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, line.data(), line.size()) < 0) ::abort();
    ::close(fd);
}

// Records which call was made to fail.
void leave_mark(const char* path, std::string_view call, int error) {
    leave(path, fmt::format("{}: {}\n", call, name_of_error(error)));
}

[[noreturn]] void give_up(std::string_view reason) {
    const auto line = "fault injector: " + std::string{reason} + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    ::abort(); // so that no test mistakes this for an expected outcome
}

#ifndef __OPTIMIZE__
// Records "ADDRESS OUTCOME" for the places in the program after the calls. The outcome is the
// fault, or "could" or "cannot" when the call could fail or not, or "later" when it could and
// another call had failed before.
class Places {
  public:
    explicit Places(const char* path) : path_(path) {}

    void record(std::uintptr_t place, std::string_view call, Arguments arguments,
                const Fault& fault) {
        const bool fails = fault.error != 0 || fault.shortened;
        std::string_view outcome = had_fault_ ? "later" : "could";
        if (fails)
            outcome = name_of_error(fault.shortened ? short_count : fault.error);
        else if (!can_fail(call, arguments))
            outcome = "cannot";
        had_fault_ = had_fault_ || fails;
        const std::pair visit{place, outcome};
        const std::span visited{visited_.begin(), count_};
        if (std::ranges::find(visited, visit) != visited.end()) return;
        leave(path_,
              fmt::format("{:x} {}\n", place - reinterpret_cast<std::uintptr_t>(start_of_program),
                          outcome));
        if (count_ < visited_.size()) visited_[count_++] = visit;
    }

  private:
    const char* path_;
    bool had_fault_ = false;
    // Each line is written once in a process.
    std::array<std::pair<std::uintptr_t, std::string_view>, 512> visited_{};
    std::size_t count_ = 0;
};
#endif

struct Injector {
    Plan plan;
    const char* mark;
    const char* from; // null: from the first call on
    bool is_for_us;
    pid_t first;

    [[nodiscard]] bool is_on() const {
        if (!is_for_us || from == nullptr) return is_for_us;
        return ::access(from, F_OK) == 0 && ::access(mark, F_OK) != 0;
    }
};

// Lets other processes go ahead now and then. The clock's nanoseconds are random enough for this.
void wait_at_random() {
    static const char* const text = std::getenv("IPCBOX_FAULT_DELAY");
    if (text == nullptr) return;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_nsec / 256) % 4 != 0) return;
    const long limit = std::max(std::atol(text), 1L) * 1000;
    const timespec delay{0, now.tv_nsec % limit};
    ::nanosleep(&delay, nullptr);
}

Injector injector_of_environment() {
    const auto get = [](const char* name) { return std::getenv(name); };
    const char* const text = get("IPCBOX_FAULT");
    const char* const in = get("IPCBOX_FAULT_IN");
    Injector injector{Plan::parse(text != nullptr ? text : ""), get("IPCBOX_FAULT_MARK"),
                      get("IPCBOX_FAULT_FROM"), in == nullptr || get(in) != nullptr, ::getpid()};
    if (injector.from != nullptr && injector.mark == nullptr)
        throw std::invalid_argument("IPCBOX_FAULT_FROM needs IPCBOX_FAULT_MARK");
    return injector;
}

// Empty until the environment has been read.
constinit std::optional<Injector> injector;
#ifndef __OPTIMIZE__
constinit std::optional<Places> places;
#endif
constinit std::mutex access; // bulk copies have threads

} // namespace

constinit bool is_watched = true;

Fault next_fault(const char* name, Arguments arguments) noexcept {
    try {
        const int saved_errno = errno;
        wait_at_random();
        const std::lock_guard alone{access};
        if (!injector) {
            injector = injector_of_environment();
#ifndef __OPTIMIZE__
            if (const char* path = std::getenv("IPCBOX_FAULT_SITES"); path != nullptr)
                places.emplace(path);
#endif
        }
        const auto process =
            ::getpid() == injector->first ? Plan::Process::first : Plan::Process::child;
        const auto fault =
            injector->is_on() ? injector->plan.next(name, arguments, process) : Fault{};
        // A connection that is lost stays lost.
        if (fault.error == ECONNRESET || fault.error == EPIPE)
            ::shutdown(static_cast<int>(arguments[0].value), SHUT_RDWR);
        if (injector->mark != nullptr && (fault.error != 0 || fault.shortened))
            leave_mark(injector->mark, name, fault.error != 0 ? fault.error : short_count);
#ifndef __OPTIMIZE__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-address"
        // watched_call() called us, and call() called that. We want the address in call()'s caller.
        if (places)
            places->record(reinterpret_cast<std::uintptr_t>(__builtin_return_address(2)), name,
                           arguments, fault);
#pragma GCC diagnostic pop
#endif
        errno = saved_errno;
        return fault;
    } catch (const std::invalid_argument& wrong) {
        give_up(wrong.what());
    }
}

} // namespace ipcbox::sys::detail
