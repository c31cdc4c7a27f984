#pragma once

#include "core/error.h"

#include <string>

namespace ipcbox::cli {

// The command line is invalid. HELP is the part of the help that concerns the mistake, with its
// line feeds. The border shows it on a terminal.
class UsageError : public Error {
  public:
    explicit UsageError(std::string message, std::string help = {})
        : Error(std::move(message), exit_status::usage), help_(std::move(help)) {}

    [[nodiscard]] const std::string& help() const noexcept { return help_; }

  private:
    std::string help_;
};

} // namespace ipcbox::cli
