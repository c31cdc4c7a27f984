// The one point through which every system call of the core passes. Here a call can be printed
// (IPCBOX_TRACE=1 or --trace: the call, its arguments and its result, like a built-in strace), and
// here the fault tests make calls fail: their binary links fault/injector.cpp where ours links
// core/no_faults.cpp. When nobody watches, a call costs one branch that is always predicted.
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

namespace ipcbox::sys {

namespace detail {

// Whether calls go through watched_call(): while we trace, and always in the binary that injects
// faults.
extern bool is_watched;

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

// Prints the call and its result if we are tracing; leaves errno alone.
void trace(const char* name, std::span<const Argument> arguments, std::int64_t result) noexcept;

// What happens to this call instead of the real one.
struct Fault {
    int error = 0;          // it fails with this errno
    bool shortened = false; // it moves one byte only
};
[[nodiscard]] Fault next_fault(const char* name, std::span<const Argument> arguments) noexcept;

// -1, or the (void*)-1 of shmat(2) and mmap(2).
template <class Result> Result failure() {
    if constexpr (std::is_pointer_v<Result>)
        return reinterpret_cast<Result>(std::intptr_t{-1}); // NOLINT(performance-no-int-to-ptr)
    else
        return static_cast<Result>(-1);
}

template <class Result> std::int64_t as_number(Result result) {
    if constexpr (std::is_pointer_v<Result>)
        return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(result));
    else
        return static_cast<std::int64_t>(result);
}

// The byte count of read(2) and write(2) is their only argument of type size_t.
template <class Argument> void shorten([[maybe_unused]] Argument& argument) {
    if constexpr (std::is_same_v<Argument, std::size_t>) argument = argument > 0 ? 1 : 0;
}

template <class Function, class... Arguments>
[[gnu::cold, gnu::noinline]] auto watched_call(const char* name, Function function,
                                               Arguments... arguments) {
    const Argument described[] = {describe(arguments)..., {}};
    const std::span asked{described, sizeof...(arguments)};
    const auto fault = next_fault(name, asked);
    if (fault.error != 0) {
        errno = fault.error;
        return failure<decltype(function(arguments...))>();
    }
    if (fault.shortened) (shorten(arguments), ...);
    const auto result = function(arguments...);
    trace(name, asked, as_number(result));
    return result;
}

} // namespace detail

template <class Function, class... Arguments>
auto call(const char* name, Function function, Arguments... arguments) {
    if (detail::is_watched) [[unlikely]]
        return detail::watched_call(name, function, arguments...);
    return function(arguments...);
}

} // namespace ipcbox::sys
