#include "server/builtin_answers.h"

#include "core/ascii.h"
#include "core/date.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <span>
#include <utmp.h>

namespace ipcbox::server {

namespace {

constexpr std::size_t max_file = 64UL * 1024;

// The first LIMIT bytes of a file. Nothing when there is no such file.
std::optional<std::string> beginning_of(const std::string& path, std::size_t limit) {
    try {
        const Fd file = open_file(path, O_RDONLY | O_NONBLOCK);
        std::string text(limit, '\0');
        text.resize(read_exact(file.get(), std::as_writable_bytes(std::span{text}), path));
        return text;
    } catch (const SysError& error) {
        if (error.error() != ENOENT) throw;
        return std::nullopt;
    }
}

// A text field of a record. It can lack the final NUL, and any user may have written it.
std::string field(std::span<const char> bytes) {
    std::string text{bytes.data(), ::strnlen(bytes.data(), bytes.size())};
    for (char& byte : text)
        if (ascii::is_control(byte)) byte = '?';
    return text;
}

} // namespace

std::string who_answer(const std::string& path) {
    constexpr std::size_t max_records = 4096;
    const auto records = beginning_of(path, max_records * sizeof(utmp)).value_or("");
    std::string answer;
    for (std::size_t at = 0; at + sizeof(utmp) <= records.size(); at += sizeof(utmp)) {
        utmp record{};
        std::memcpy(&record, records.data() + at, sizeof record);
        if (record.ut_type != USER_PROCESS) continue;
        answer += fmt::format("{:<12} {:<12} {}", field(record.ut_user), field(record.ut_line),
                              date_text(record.ut_tv.tv_sec));
        if (const auto host = field(record.ut_host); !host.empty())
            answer += fmt::format(" ({})", host);
        answer += '\n';
    }
    return answer.empty() ? "Nobody is logged in.\n" : answer;
}

std::string motd_answer(const std::string& path) {
    auto text = beginning_of(path, max_file).value_or("");
    return text.empty() ? "There is no message of the day.\n" : text;
}

std::string saying(unsigned number) {
    constexpr std::array<std::string_view, 6> sayings{
        "The pipe you did not close is the one that somebody still waits for.",
        "A lock that is never contended is a comment.",
        "Every timeout is an opinion about somebody else's machine.",
        "The second signal says what the first one meant.",
        "A port in use is a promise that somebody forgot.",
        "Read what the error says; then read what it does not say.",
    };
    return std::string{sayings[number % sayings.size()]} + '\n';
}

} // namespace ipcbox::server
