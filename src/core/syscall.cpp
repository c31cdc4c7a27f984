#include "core/syscall.h"

#include "core/trace.h"

#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace ipcbox::sys {

namespace detail {

namespace {

constinit bool is_tracing = false;

using Line = fmt::basic_memory_buffer<char, 512>;

void append_text(Line& line, const char* text) {
    constexpr std::size_t shown = 64;
    const std::string_view whole = text;
    fmt::format_to(fmt::appender(line), "{:?}{}", whole.substr(0, shown),
                   whole.size() > shown ? "..." : "");
}

void append_argument(Line& line, const Argument& argument) {
    switch (argument.kind) {
    case Argument::Kind::integer:
        fmt::format_to(fmt::appender(line), "{}", argument.value);
        return;
    case Argument::Kind::text:
        if (argument.value != 0)
            return append_text(line, reinterpret_cast<const char*>(argument.value));
        [[fallthrough]];
    case Argument::Kind::pointer:
        fmt::format_to(fmt::appender(line), "{:#x}", static_cast<std::uint64_t>(argument.value));
        return;
    }
}

} // namespace

void trace(const char* name, std::span<const Argument> arguments, std::int64_t result) noexcept {
    if (!is_tracing) return;
    const int saved_errno = errno;
    Line line;
    fmt::format_to(fmt::appender(line), "[{}] {}(", ::getpid(), name);
    bool first = true;
    for (const auto& argument : arguments) {
        if (!first) line.append(std::string_view{", "});
        first = false;
        append_argument(line, argument);
    }
    if (result == -1)
        fmt::format_to(fmt::appender(line), ") = -1 {} ({})\n", strerrorname_np(saved_errno),
                       strerrordesc_np(saved_errno));
    else
        fmt::format_to(fmt::appender(line), ") = {}\n", result);
    // The trace is a best effort: a stderr that accepts nothing must not change the behaviour of
    // the program.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    errno = saved_errno;
}

} // namespace detail

void start_tracing() noexcept {
    detail::is_tracing = true;
    detail::is_watched = true;
}

} // namespace ipcbox::sys
