// The smallest program that can answer a client: what a server benchmark runs, so that the server
// is measured and not the start of a program. On a virtual machine even a static one takes half a
// millisecond to start otherwise, because the C library asks the processor what it can, and each
// CPUID is a trip to the hypervisor; so this one has no C library.
#include "no_libc.h"

extern "C" [[noreturn]] void _start() { // NOLINT: the name that the linker looks for
    static constexpr char text[] = "hello\n";
    constexpr long length = sizeof text - 1;
    const bool written = call(SYS_write, 1, reinterpret_cast<long>(text), length) == length;
    for (;;)
        (void)call(SYS_exit_group, written ? 0 : 1);
}
