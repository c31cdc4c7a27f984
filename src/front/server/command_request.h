// One line from a client of command-server, in one of two forms: words or JSON.
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

    // The request on one line, for the log.
    [[nodiscard]] std::string text() const;
};

// Nothing for a line that is not a request.
[[nodiscard]] std::optional<CommandRequest> request_in(const std::string& line, CommandForm form);

// The token in a client's line: the whole line, or {"token":TEXT}. Empty when there is none.
[[nodiscard]] std::string token_in(const std::string& line, CommandForm form);

// Whether the two are equal. The time that this takes does not depend on where they differ.
[[nodiscard]] bool is_same_secret(std::string_view given, std::string_view secret) noexcept;

} // namespace ipcbox::front
