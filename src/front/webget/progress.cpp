#include "front/webget/progress.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/io.h"
#include "core/terminal.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

namespace {

using namespace std::chrono_literals;

constexpr auto interval = 100ms;
constexpr std::size_t max_lines = 8;

std::string clock_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::min(seconds, 359999.0));
    if (whole >= 3600)
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// The last SIZE bytes of NAME, or fewer: a part of a character could control the terminal, so it is
// left out.
std::string visible_end(std::string_view name, std::size_t size) {
    name.remove_prefix(name.size() - size);
    while (!name.empty() && (static_cast<unsigned char>(name.front()) & 0xc0U) == 0x80U)
        name.remove_prefix(1);
    return std::string{name};
}

} // namespace

std::string human_bytes(double bytes) {
    constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < std::size(units)) {
        bytes /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", bytes, unit == 0 || bytes >= 100 ? 0 : 1, units[unit]);
}

std::string progress_text(const ProgressLine& line) {
    auto numbers = fmt::format("{:>8} {:>8}/s", human_bytes(static_cast<double>(line.bytes)),
                               human_bytes(line.bytes_per_second));
    double part = 0;
    if (line.size && *line.size > 0) {
        part = std::min(1.0, static_cast<double>(line.bytes) / static_cast<double>(*line.size));
        const auto left = static_cast<double>(*line.size) - static_cast<double>(line.bytes);
        const auto time = line.bytes_per_second > 0 && left >= 0
                              ? clock_text(left / line.bytes_per_second)
                              : std::string{"-:--"};
        numbers = fmt::format("{:3.0f} % {} {:>7}", part * 100, numbers, time);
    }
    // The name gets at most a third of the line, and the bar the rest.
    const auto room = line.columns - std::min(line.columns, numbers.size() + 2);
    const auto name_room = std::min(room, std::max<std::size_t>(line.columns / 3, 8));
    auto name = line.name;
    if (name.size() > name_room) name = visible_end(name, name_room);
    std::string bar;
    if (line.size && room > name_room + 6) {
        const auto width = room - name_room - 4;
        const auto full = static_cast<std::size_t>(part * static_cast<double>(width));
        bar = fmt::format("[{}{}] ", std::string(full, '#'), std::string(width - full, ' '));
    }
    auto text = fmt::format("{:<{}} {}{}", name, name_room, bar, numbers);
    // A longer text would take a second row, which nobody would erase.
    if (text.size() > line.columns && room == 0) text.resize(line.columns);
    return text;
}

void FetchProgress::begin(std::size_t number, const std::string& name,
                          std::optional<std::uint64_t> size, std::uint64_t already) {
    const std::lock_guard lock{mutex_};
    coming_[number] = {cli::visible(name), size, already, 0, Deadline::Clock::now()};
}

void FetchProgress::moved(std::size_t number, std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    all_bytes_ += bytes;
    if (const auto found = coming_.find(number); found != coming_.end())
        found->second.bytes += bytes;
    if (Deadline::Clock::now() - drawn_ >= interval) draw();
}

void FetchProgress::end(std::size_t number) {
    const std::lock_guard lock{mutex_};
    ended_ += coming_.erase(number);
}

void FetchProgress::erase() {
    const std::lock_guard lock{mutex_};
    erase_lines();
}

// Moves up to the first line and clears everything from there on (ECMA-48).
void FetchProgress::erase_lines() {
    if (lines_ > 0) show(fmt::format("\x1b[{}A\x1b[J", lines_));
    lines_ = 0;
}

void FetchProgress::draw() {
    const auto now = Deadline::Clock::now();
    const auto rate = [now](std::uint64_t bytes, Time since) {
        const double time = in_seconds(now - since);
        return time > 0 ? static_cast<double>(bytes) / time : 0.0;
    };
    const std::size_t columns = terminal_size(fd_).columns;
    std::string text;
    int lines = 0;
    for (const auto& [number, document] : coming_) {
        if (static_cast<std::size_t>(lines) == max_lines) break;
        text += progress_text({document.name, document.size, document.already + document.bytes,
                               rate(document.bytes, document.began), columns}) +
                '\n';
        ++lines;
    }
    if (documents_ > 1) {
        text += progress_text({fmt::format("{} of {} documents", ended_, documents_), std::nullopt,
                               all_bytes_, rate(all_bytes_, began_), columns}) +
                '\n';
        ++lines;
    }
    const auto up = lines_ > 0 ? fmt::format("\x1b[{}A\x1b[J", lines_) : std::string{};
    show(up + text);
    lines_ = lines;
    drawn_ = now;
}

void FetchProgress::show(std::string_view text) const {
    try {
        write_all(fd_, text, "standard error");
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): there is nobody to tell
    }
}

} // namespace ipcbox::front
