// What each system call can fail with.
//
// A fault is injected only if the kernel can really return it, according to the ERRORS of the
// call's manual page and the kernel's source. Code that survives a close(2) that fails with ENOMEM
// proves nothing, and code that dies of it needs no repair. A call that can never fail (or only by
// our own mistake, EBADF or EINVAL) is in the table without errors.
#pragma once

#include "core/syscall.h"

#include <span>
#include <string_view>

namespace ipcbox::fault {

using Arguments = std::span<const sys::detail::Argument>;

// Stands for a short count where other faults have an errno.
inline constexpr int short_count = -1;

// "ENOMEM" or "SHORT" as a number; 0 for neither.
[[nodiscard]] int error_number(std::string_view name);
[[nodiscard]] std::string_view name_of_error(int error);

// Whether the table has the call.
[[nodiscard]] bool is_known(std::string_view call);
// Whether the call can fail like this with some arguments. An empty call stands for any.
[[nodiscard]] bool can_happen(std::string_view call, int error);
// Whether it can fail like this with these arguments.
[[nodiscard]] bool is_possible(std::string_view call, Arguments arguments, int error);
// Whether it can fail at all with these arguments.
[[nodiscard]] bool can_fail(std::string_view call, Arguments arguments);

} // namespace ipcbox::fault
