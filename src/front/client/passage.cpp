#include "front/client/passage.h"

#include "core/error.h"
#include "core/io.h"

#include <array>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <utility>

namespace ipcbox::front {

namespace {

// "2026-11-28T17:40:00.123", local time.
std::string time_text() {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto rest =
        std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm local{};
    (void)::localtime_r(&seconds, &local);
    std::array<char, 32> text{};
    (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &local);
    return fmt::format("{}.{:03}", text.data(), rest);
}

std::string with_crlf(std::string_view text, char& last) {
    std::string sent;
    sent.reserve(text.size() + 16);
    for (const char byte : text) {
        if (byte == '\n' && last != '\r') sent.push_back('\r');
        sent.push_back(byte);
        last = byte;
    }
    return sent;
}

} // namespace

std::string hex_dump(std::string_view bytes, std::uint64_t from) {
    constexpr std::size_t in_line = 16;
    std::string dump;
    for (std::size_t at = 0; at < bytes.size(); at += in_line) {
        const auto line = bytes.substr(at, in_line);
        dump += fmt::format("{:08x} ", from + at);
        std::string text;
        for (std::size_t byte = 0; byte < in_line; ++byte) {
            if (byte % 8 == 0) dump.push_back(' ');
            if (byte >= line.size()) {
                dump += "   ";
                continue;
            }
            dump += fmt::format("{:02x} ", static_cast<unsigned char>(line[byte]));
            text.push_back(line[byte] >= ' ' && line[byte] < '\x7f' ? line[byte] : '.');
        }
        dump += fmt::format(" |{}|\n", text);
    }
    return dump;
}

Passage::Passage(PassageOptions options) : options_(std::move(options)) {
    if (options_.log) log_to(*options_.log);
}

void Passage::log_to(const std::string& file) {
    constexpr mode_t private_mode = 0600; // typed text can include passwords
    end_log_line();
    log_ = open_file(file, O_WRONLY | O_APPEND | O_CREAT, private_mode);
    options_.log = file;
}

bool Passage::changes_nothing() const {
    return !options_.crlf && !options_.telnet && !options_.hex && !options_.visible && !log_;
}

Passage::~Passage() {
    try {
        end_log_line();
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the first error is reported
    }
}

void Passage::write_log(std::string_view bytes) {
    auto text = options_.hex ? hex_dump(bytes, 0) : cli::visible(bytes);
    if (!text.ends_with('\n')) text.push_back('\n');
    std::string lines;
    for (std::string_view rest{text}; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n') + 1);
        lines.append(log_begin_).append(line);
        rest.remove_prefix(line.size());
    }
    write_all(log_.get(), lines, *options_.log);
}

void Passage::end_log_line() {
    if (!log_line_.empty()) write_log(std::exchange(log_line_, {}));
}

// Logs a line that comes in pieces as one line, unless the other side sends something in between.
void Passage::log(char direction, std::string_view bytes) {
    constexpr std::size_t max_line = 4096;
    if (!log_ || bytes.empty()) return;
    if (direction != logged_ || options_.hex) end_log_line();
    logged_ = direction;
    if (log_line_.empty()) log_begin_ = fmt::format("{} {} ", time_text(), direction);
    log_line_.append(bytes);
    const auto whole = log_line_.rfind('\n') + 1; // 0 without a line feed
    if (whole > 0) write_log(std::string_view{log_line_}.substr(0, whole));
    log_line_.erase(0, whole);
    if (log_line_.size() > max_line || options_.hex) end_log_line();
}

std::string_view Passage::request(std::string_view chunk) {
    if (options_.crlf) chunk = request_ = with_crlf(chunk, last_sent_);
    if (chunk.empty()) end_log_line();
    log('>', chunk);
    if (options_.telnet && !chunk.empty()) chunk = request_ = net::TelnetFilter::escaped(chunk);
    return chunk;
}

std::string_view Passage::answer(std::string_view chunk) {
    const bool is_end = chunk.empty();
    if (options_.telnet) {
        answer_ = telnet_.next(chunk);
        chunk = answer_;
    }
    if (is_end) end_log_line();
    log('<', chunk);
    if (options_.hex) {
        const auto from = dumped_;
        dumped_ += chunk.size();
        answer_ = hex_dump(chunk, from);
        return answer_;
    }
    if (!options_.visible) return chunk;
    answer_ = is_end ? visible_.finish() : visible_.next(chunk);
    return answer_;
}

} // namespace ipcbox::front
