// What a fuzz target asserts: a condition that does not hold is a crash, which libFuzzer reports.
#pragma once

#include <cstdlib>

inline void require(bool condition) {
    if (!condition) std::abort();
}
