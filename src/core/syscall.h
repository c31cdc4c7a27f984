// The one point through which every system call of the core passes. Here a call can be printed
// (IPCBOX_TRACE=1 or --trace: the call, its arguments and its result, like a built-in strace) and,
// in the binary built for the fault tests, be made to fail. When tracing is off it costs one
// branch that is always predicted.
//
//     const int fd = sys::call("openat", ::openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
//
// A call returns what the function returns: -1 and errno on failure. Retrying, waiting and
// throwing belong to the wrapper of the kernel object.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#ifdef IPCBOX_NO_SYSTEM_CALLS
#error                                                                                             \
    "what includes core/syscall.h is compiled twice: list it in calling_sources (src/meson.build)"
#endif

namespace ipcbox::sys {

namespace detail {

extern bool tracing;

struct Argument {
    enum class Kind { integer, text, pointer } kind;
    std::int64_t value;
};

template <class T> Argument describe(T value) {
    if constexpr (std::is_same_v<T, const char*> || std::is_same_v<T, char*>)
        return {Argument::Kind::text,
                static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(value))};
    else if constexpr (std::is_null_pointer_v<T>)
        return {Argument::Kind::pointer, 0};
    else if constexpr (std::is_pointer_v<T>)
        return {Argument::Kind::pointer,
                static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(value))};
    else
        return {Argument::Kind::integer, static_cast<std::int64_t>(value)};
}

// Prints one line to stderr with one write; leaves errno alone.
void print(const char* name, std::span<const Argument> arguments, std::int64_t result) noexcept;

#ifdef IPCBOX_FAULTS
// What the fault tests ask of this call: fault.cpp says how.
struct Fault {
    int error = 0;          // fail with this errno
    bool shortened = false; // move one byte only
};
[[nodiscard]] Fault next_fault(const char* name, std::span<const Argument> arguments) noexcept;

// -1, or the (void*)-1 of shmat(2) and mmap(2).
template <class Result> Result failure() {
    if constexpr (std::is_pointer_v<Result>)
        return reinterpret_cast<Result>(std::intptr_t{-1}); // NOLINT(performance-no-int-to-ptr)
    else
        return static_cast<Result>(-1);
}
#endif

} // namespace detail

template <class Function, class... Arguments>
auto call(const char* name, Function function, Arguments... arguments) {
#ifdef IPCBOX_FAULTS
    const detail::Argument asked[] = {detail::describe(arguments)..., {}};
    const auto fault = detail::next_fault(name, std::span{asked, sizeof...(arguments)});
    if (fault.error != 0) {
        errno = fault.error;
        return detail::failure<decltype(function(arguments...))>();
    }
    if (fault.shortened) {
        // The byte count of read(2) and write(2) is their only argument of type size_t.
        [[maybe_unused]] const auto shorten = [](auto& argument) {
            if constexpr (std::is_same_v<decltype(argument), std::size_t&>)
                argument = argument > 0 ? 1 : 0;
        };
        (shorten(arguments), ...);
    }
#endif
    const auto result = function(arguments...);
    if (detail::tracing) [[unlikely]] {
        const detail::Argument described[] = {detail::describe(arguments)..., {}};
        std::int64_t number = 0;
        if constexpr (std::is_pointer_v<decltype(result)>)
            number = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(result));
        else
            number = static_cast<std::int64_t>(result);
        detail::print(name, std::span{described, sizeof...(arguments)}, number);
    }
    return result;
}

} // namespace ipcbox::sys
