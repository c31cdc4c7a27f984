// asking - writes QUESTIONS prompts, and reads a line after each. It costs next to nothing, so a
// benchmark of a program that talks with it measures that program. It has no C library; answer.cpp
// explains why.
#include "no_libc.h"

namespace {

bool ask() {
    static constexpr char prompt[] = "yes or no? ";
    static char line[256];
    return call(SYS_write, 1, reinterpret_cast<long>(prompt), sizeof prompt - 1) > 0 &&
           call(SYS_read, 0, reinterpret_cast<long>(line), sizeof line) > 0;
}

} // namespace

extern "C" [[noreturn]] void _start() { // NOLINT: the name that the linker looks for
    int left = QUESTIONS;
    while (left > 0 && ask())
        --left;
    for (;;)
        (void)call(SYS_exit_group, left == 0 ? 0 : 1);
}
