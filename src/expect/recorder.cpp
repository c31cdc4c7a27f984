#include "expect/recorder.h"

#include "core/ascii.h"
#include "expect/secrets.h"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

namespace ipcbox::expect {

namespace {

constexpr std::size_t max_output = 4096;
constexpr std::size_t max_prompt = 60;
// An expect waits for 10 s by default. If a prompt took longer than half of that, its expect gets
// its own limit.
constexpr std::chrono::seconds usual_wait{5};
constexpr char rubout = '\x7f';

bool ends_line(char byte) {
    return byte == '\n' || byte == '\r';
}

// The last line of TEXT that is not blank.
std::string_view last_line(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    if (last == std::string_view::npos) return {};
    const auto end = std::min(text.find_first_of("\r\n", last), text.size());
    const auto before = text.find_last_of("\r\n", last);
    const auto begin = before == std::string_view::npos ? 0 : before + 1;
    return text.substr(begin, end - begin);
}

std::string hexadecimal(char byte) {
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
}

// A regular expression that matches exactly TEXT.
std::string as_regex(std::string_view text) {
    std::string regex;
    for (const char byte : text)
        if (ascii::is_control(byte))
            regex += hexadecimal(byte);
        else if (std::string_view{"\\^$.|?*+()[]{}/"}.find(byte) != std::string_view::npos)
            regex.append(1, '\\').append(1, byte);
        else
            regex += byte;
    return regex;
}

// TEXT as it has to stand between the quotes of send.
std::string as_sent(std::string_view text) {
    constexpr std::string_view special = "\r\n\t\x1b\\\"$";
    constexpr std::string_view letters = "rnte\\\"$";
    std::string sent;
    for (const char byte : text)
        if (const auto which = special.find(byte); which != std::string_view::npos)
            sent.append(1, '\\').append(1, letters[which]);
        else if (ascii::is_control(byte))
            sent += hexadecimal(byte);
        else
            sent += byte;
    return sent;
}

// Removes the last key. The bytes of a UTF-8 character go together.
void take_back(std::string& keys) {
    const auto is_continuation = [](char byte) { return (byte & 0xc0) == 0x80; };
    while (!keys.empty() && is_continuation(keys.back()))
        keys.pop_back();
    if (!keys.empty()) keys.pop_back();
}

} // namespace

Recorder::Recorder(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

void Recorder::hear(std::string_view output) {
    filter_.strip(output, output_);
    if (output_.size() > max_output) output_.erase(0, output_.size() - max_output / 2);
    last_output_ = Deadline::Clock::now();
}

void Recorder::type(std::string_view keys, Input input) {
    for (const char key : keys)
        type_key(key, input);
    last_key_ = Deadline::Clock::now();
}

void Recorder::type_key(char key, Input input) {
    // An echo has no line feed. If one came since the last key, the program has answered.
    const bool was_answered = output_.find('\n') != std::string::npos;
    if (!keys_.empty() && (ends_line(keys_.back()) || was_answered)) end_turn();
    if (keys_.empty()) begin_turn(input);
    output_.clear();
    const bool can_take_back = !keys_.empty() && !ascii::is_control(keys_.back());
    if (key == rubout && can_take_back)
        take_back(keys_);
    else
        keys_ += key;
}

void Recorder::begin_turn(Input input) {
    prompt_ = last_line(output_);
    is_secret_ = input == Input::hidden || asks_for_secret(prompt_);
    wait_ = last_output_ > last_key_ ? last_output_ - last_key_ : Duration::zero();
}

void Recorder::end_turn() {
    write_prompt();
    if (is_secret_) write_secret();
    if (!keys_.empty()) write_(fmt::format("send \"{}\"\n", as_sent(keys_)));
    keys_.clear();
}

void Recorder::write_prompt() {
    // A program may repeat a secret. It must not get into the script.
    const bool has_secret = std::ranges::any_of(secrets_, [this](const std::string& secret) {
        return prompt_.find(secret) != std::string::npos;
    });
    if (prompt_.empty() || has_secret) return;
    const bool is_whole = prompt_.size() <= max_prompt;
    const auto regex = is_whole ? fmt::format("/^{}/m", as_regex(prompt_))
                                : fmt::format("/{}/", as_regex(std::string_view{prompt_}.substr(
                                                          prompt_.size() - max_prompt)));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(2 * wait_).count();
    const auto limit = wait_ > usual_wait ? fmt::format(" {}s", seconds) : std::string{};
    write_(fmt::format("expect {}{}\n", regex, limit));
}

// Leaves the Enter key, which ended the secret, in keys_.
void Recorder::write_secret() {
    const auto end = std::min(keys_.find_first_of("\r\n"), keys_.size());
    const auto secret = keys_.substr(0, end);
    keys_.erase(0, end);
    if (secret.empty()) return;
    const auto known = std::ranges::find(secrets_, secret);
    const auto number = known - secrets_.begin() + 1;
    if (known == secrets_.end()) secrets_.push_back(secret);
    write_(fmt::format("send-env PASSWORD{}\n", number > 1 ? std::to_string(number) : ""));
}

void Recorder::finish() {
    if (!keys_.empty()) end_turn();
}

} // namespace ipcbox::expect
