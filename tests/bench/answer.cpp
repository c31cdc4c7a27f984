// The smallest program that can answer a client. The server benchmark runs it, so that it measures
// the server and not the start of a program. It has no C library: on a virtual machine, even a
// static program would take half a millisecond to start, because the C library asks the processor
// what it can do, and each CPUID is a trip to the hypervisor.
#include "no_libc.h"

extern "C" [[noreturn]] void _start() { // NOLINT: the name that the linker looks for
    static constexpr char text[] = "hello\n";
    constexpr long length = sizeof text - 1;
    const bool written = call(SYS_write, 1, reinterpret_cast<long>(text), length) == length;
    for (;;)
        (void)call(SYS_exit_group, written ? 0 : 1);
}
