#include "front/server/command_request.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/ascii.h"
#include "core/shell_words.h"
#include "core/words.h"

#include <algorithm>

namespace ipcbox::front {

namespace {

std::optional<CommandRequest> words_in(const std::string& line) {
    if (std::ranges::any_of(line,
                            [](char byte) { return ascii::is_control(byte) && byte != '\t'; }))
        return std::nullopt;
    std::string_view left = line;
    CommandRequest request;
    request.line = line;
    request.name = take_word(left);
    for (auto word = take_word(left); !word.empty(); word = take_word(left))
        request.arguments.emplace_back(word);
    return request;
}

std::optional<CommandRequest> json_in(const std::string& line) {
    const auto members = cli::json_texts(line);
    if (!members) return std::nullopt;
    CommandRequest request;
    for (const auto& [name, values] : *members)
        if (name == "args")
            request.arguments = values;
        else if (name == "cmd" && values.size() == 1)
            request.name = request.line = values.front();
        else
            return std::nullopt;
    if (request.name.empty()) return std::nullopt;
    return request;
}

} // namespace

std::string CommandRequest::text() const {
    auto text = shell_quoted(name);
    for (const auto& argument : arguments)
        text += " " + shell_quoted(argument);
    // JSON from a client can contain line feeds.
    std::ranges::replace(text, '\n', ' ');
    return cli::visible(text);
}

std::optional<CommandRequest> request_in(const std::string& line, CommandForm form) {
    return form == CommandForm::json ? json_in(line) : words_in(line);
}

std::string token_in(const std::string& line, CommandForm form) {
    if (form == CommandForm::words) return line;
    const auto members = cli::json_texts(line);
    if (!members) return {};
    const auto found = members->find("token");
    return found != members->end() && found->second.size() == 1 ? found->second.front()
                                                                : std::string{};
}

bool is_same_secret(std::string_view given, std::string_view secret) noexcept {
    // Look at each byte of the secret, whatever GIVEN is, so that the time does not tell how much
    // is right.
    volatile unsigned difference = given.size() == secret.size() ? 0 : 1;
    for (std::size_t at = 0; at < secret.size(); ++at) {
        const char byte = given.empty() ? '\0' : given[at % given.size()];
        difference = difference | static_cast<unsigned char>(byte ^ secret[at]);
    }
    return difference == 0;
}

} // namespace ipcbox::front
