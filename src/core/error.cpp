#include "core/error.h"

#include <cstring>
#include <fmt/core.h>

namespace ipcbox {

std::string_view error_text(int error) noexcept {
    const char* text = strerrordesc_np(error);
    return text != nullptr ? text : "unknown error";
}

SysError::SysError(std::string_view verb, std::string_view object, int error)
    : Error(
          fmt::format("cannot {} {}: {}", verb, object.empty() ? "''" : object, error_text(error))),
      error_(error) {}

TimedOut::TimedOut(std::string_view what)
    : Error(fmt::format("timed out: {}", what), exit_status::timed_out) {}

} // namespace ipcbox
