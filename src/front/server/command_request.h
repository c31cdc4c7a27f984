// One line of a client of command-server, and the two forms that it can have: words, and JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

enum class CommandForm { words, json };

struct CommandRequest {
    std::string name;
    std::vector<std::string> arguments;
    std::string line; // as it came

    // On one line, for the log.
    [[nodiscard]] std::string text() const;
};

// Nothing for a line that is no request.
[[nodiscard]] std::optional<CommandRequest> request_in(const std::string& line, CommandForm form);

// The token that a client gives: the line, or {"token":TEXT}. Empty for a line without one.
[[nodiscard]] std::string token_in(const std::string& line, CommandForm form);

// Whether the two are the same, found out in a time that does not depend on where they differ.
[[nodiscard]] bool is_same_secret(std::string_view given, std::string_view secret) noexcept;

} // namespace ipcbox::front
