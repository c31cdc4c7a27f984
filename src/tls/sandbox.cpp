#include "tls/sandbox.h"

#include "core/error.h"
#include "core/syscall.h"

#include <array>
#include <cstddef>
#include <fcntl.h>
#include <limits>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <span>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcbox::tls {

namespace {

#if defined IPCBOX_ADDRESS_SANITIZER
constexpr std::uint32_t architecture = 0;
#elif defined __x86_64__
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined __aarch64__
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t architecture = 0;
#endif

// Allowed with any arguments. A later filter can only forbid more.
constexpr std::uint32_t harmless[] = {
    SYS_read,           SYS_write,        SYS_ppoll,
    SYS_shutdown,       SYS_close,        SYS_futex,
    SYS_getrandom,      SYS_brk,          SYS_munmap,
    SYS_mremap,         SYS_madvise,      SYS_lseek,
    SYS_fstat,          SYS_newfstatat,   SYS_clock_gettime,
    SYS_gettimeofday,   SYS_getpid,       SYS_gettid,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
    SYS_exit,           SYS_exit_group,   SYS_seccomp,
};

// Allowed unless an argument has certain bits.
struct Restricted {
    std::uint32_t call;
    std::uint32_t argument;
    std::uint32_t forbidden;
};
constexpr Restricted restricted[] = {
    {SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC}, // the flag for reading is 0
    {SYS_mmap, 2, PROT_EXEC},
    {SYS_mprotect, 2, PROT_EXEC},
};

constexpr sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
constexpr sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);

constexpr sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
// These go on if the loaded word is VALUE, or has one of BITS. Otherwise they skip INSTRUCTIONS.
constexpr sock_filter unless_equal_skip(std::uint32_t value, std::uint8_t instructions) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions);
}
constexpr sock_filter unless_set_skip(std::uint32_t bits, std::uint8_t instructions) {
    return BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, instructions);
}

template <std::size_t Size> struct Program {
    std::array<sock_filter, Size> instructions{};
    std::size_t size = 0;

    constexpr void add(sock_filter instruction) { instructions[size++] = instruction; }
};

// x86-64 has a second table of calls, with bit 30 in their numbers. The list has none of them.
constexpr auto list_filter() {
    Program<5 + 2 * std::size(harmless) + 5 * std::size(restricted)> program;
    program.add(load(offsetof(seccomp_data, arch)));
    program.add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
    program.add(refuse);
    program.add(load(offsetof(seccomp_data, nr)));
    for (const auto call : harmless) {
        program.add(unless_equal_skip(call, 1));
        program.add(allow);
    }
    for (const auto& [call, argument, forbidden] : restricted) {
        program.add(unless_equal_skip(call, 4));
        // Load the lower half of the 64 bits. Both processors that we know are little-endian.
        program.add(load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)));
        program.add(unless_set_skip(forbidden, 1));
        program.add(refuse);
        program.add(allow);
    }
    program.add(refuse);
    return program;
}

constexpr auto no_opening_filter() {
    Program<4> program;
    program.add(load(offsetof(seccomp_data, nr)));
    program.add(unless_equal_skip(SYS_openat, 1));
    program.add(refuse);
    program.add(allow);
    return program;
}

template <std::size_t Size> void install(Program<Size> program) noexcept {
    if (architecture == 0) return;
    const sock_fprog filter{static_cast<unsigned short>(program.size), program.instructions.data()};
    const auto set = [](const sock_fprog* wanted) {
        return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, wanted);
    };
    sys::call("seccomp", set, &filter);
}

void limit(__rlimit_resource resource, rlim_t most) {
    const rlimit both{most, most};
    if (sys::call("setrlimit", ::setrlimit, resource, &both) < 0) throw SysError("set", "a limit");
}

} // namespace

void enter_sandbox() {
    constexpr unsigned first = STDERR_FILENO + 1;
    constexpr rlim_t descriptors = 16; // the three, and one directory or file at a time
    sys::call("close_range", ::close_range, first, std::numeric_limits<unsigned>::max(), 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, descriptors);
    const auto forbid = [] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL); };
    if (sys::call("prctl", forbid) < 0) throw SysError("give up", "privileges");
    install(list_filter());
}

void forbid_opening() noexcept {
    install(no_opening_filter());
}

} // namespace ipcbox::tls
