#include "dialog/transcript.h"

#include <algorithm>
#include <fmt/format.h>

namespace ipcbox::dialog {

std::string Transcript::say(std::size_t party, std::string_view bytes) {
    constexpr std::size_t max_line = 64UL * 1024;
    std::string lines;
    auto& begun = begun_[party];
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto room = max_line - begun.size();
        const auto size = std::min(end == std::string_view::npos ? bytes.size() : end, room);
        begun += bytes.substr(0, size);
        bytes.remove_prefix(size);
        const bool is_whole = bytes.starts_with('\n');
        if (is_whole) bytes.remove_prefix(1);
        if (!is_whole && begun.size() < max_line) break;
        lines += line(party, is_whole ? '>' : '+', begun);
        begun.clear();
    }
    return lines;
}

std::string Transcript::finish() {
    std::string lines;
    for (std::size_t party = 0; party < begun_.size(); ++party) {
        if (!begun_[party].empty()) lines += line(party, '+', begun_[party]);
        begun_[party].clear();
    }
    return lines;
}

std::string Transcript::line(std::size_t party, char mark, std::string_view text) const {
    return fmt::format("{:.6f} {}{} {}\n", in_seconds(Deadline::Clock::now() - start_), party + 1,
                       mark, text);
}

} // namespace ipcbox::dialog
