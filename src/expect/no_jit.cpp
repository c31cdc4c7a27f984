// Replaces PCRE2's compiler to machine code. The library would link in a quarter of a megabyte,
// although expect/pattern.cpp never uses it. The matcher calls these functions only for expressions
// that this compiler has compiled, so never for ours.
#include <cstddef>
#include <cstdint>

// The names and the signatures are the library's. NOLINTBEGIN
extern "C" {
int pcre2_jit_match_8(const void*, const std::uint8_t*, std::size_t, std::size_t, std::uint32_t,
                      void*, void*) {
    constexpr int bad_option = -45; // PCRE2_ERROR_JIT_BADOPTION
    return bad_option;
}
void _pcre2_jit_free_8(void*, void*) {}
std::size_t _pcre2_jit_get_size_8(void*) {
    return 0;
}
const char* _pcre2_jit_get_target_8() {
    return "none";
}
int _pcre2_jit_check_exec_8() {
    return 0;
}
}
// NOLINTEND
