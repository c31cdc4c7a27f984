// The options of curl 7.88 that webget does not have: each is refused by name, with its reason.
#pragma once

#include "cli/options.h"

#include <span>

namespace ipcbox::front {

[[nodiscard]] std::span<const cli::RefusedOption> refused_options();

} // namespace ipcbox::front
