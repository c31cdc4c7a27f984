#include "front/ipc/picture.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <tuple>

namespace ipcbox::front {

namespace {

using sysv::Entry;

constexpr std::string_view normal = "\x1b[m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view reversed = "\x1b[7m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";

// TEXT cut to COLUMNS. Names can contain any byte, so each byte that is not printable ASCII becomes
// a question mark.
std::string fitted(std::string text, std::size_t columns) {
    std::ranges::replace_if(
        text, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    text.resize(std::min(text.size(), columns));
    return text;
}

bool is_used(const Entry& entry) {
    return entry.use == sysv::Use::used;
}

// The length of a queue as a bar: "|||", "|||||+7".
std::string bar(int waiting) {
    constexpr int max_bar = 5;
    if (waiting == 0) return {};
    return std::string(static_cast<std::size_t>(std::min(waiting, max_bar)), '|') +
           (waiting > max_bar ? fmt::format("+{}", waiting - max_bar) : "");
}

std::string summary(const std::vector<Entry>& entries, std::size_t first, std::size_t shown) {
    const auto used = std::ranges::count_if(entries, is_used);
    int waiting = 0;
    for (const auto& entry : entries)
        waiting += entry.waiting;
    auto text = fmt::format("{} objects, {} used, {} waiting", entries.size(), used, waiting);
    if (shown < entries.size())
        text += fmt::format("; {} to {} shown (j, k, space)", first + 1, first + shown);
    return text + "; q quits";
}

// A narrow terminal shows the users of an object and leaves out its owner, who matters less.
std::string row(std::size_t columns, std::string_view id, std::string_view key,
                std::string_view owner, std::string_view state, std::string_view queue,
                std::string_view users) {
    constexpr std::size_t wide = 110;
    if (columns >= wide)
        return fmt::format("{:<14.14} {:<20.20} {:<10.10} {:<24.24} {:<8} {}", id, key, owner,
                           state, queue, users);
    return fmt::format("{:<12.12} {:<12.12} {:<15.15} {:<7} {}", id, key, state, queue, users);
}

} // namespace

std::vector<std::string> picture_of(const std::vector<Entry>& entries, UserNames& users,
                                    std::size_t first, std::size_t rows, std::size_t columns) {
    std::vector<const Entry*> order;
    for (const auto& entry : entries)
        order.push_back(&entry);
    std::ranges::sort(order, [](const Entry* left, const Entry* right) {
        return std::tuple{-left->waiting, !is_used(*left), left} <
               std::tuple{-right->waiting, !is_used(*right), right};
    });
    const std::size_t room = rows > 2 ? rows - 2 : 0;
    const std::size_t shown = std::min(room, entries.size() - std::min(first, entries.size()));
    std::vector<std::string> lines;
    lines.push_back(
        fmt::format("{}{}{}", reversed, fitted(summary(entries, first, shown), columns), normal));
    lines.push_back(fmt::format(
        "{}{}{}", bold,
        fitted(row(columns, "ID", "KEY", "OWNER", "STATE", "WAITING", "USED BY"), columns),
        normal));
    for (std::size_t at = first; at < first + shown; ++at) {
        const auto& entry = *order[at];
        const auto colour = entry.waiting > 0 ? red : is_used(entry) ? green : std::string_view{};
        lines.push_back(fmt::format("{}{}{}", colour,
                                    fitted(row(columns, entry.object.handle(), entry.key_text(),
                                               users.of(entry.object.owner), state_text(entry),
                                               bar(entry.waiting), users_text(entry)),
                                           columns),
                                    colour.empty() ? colour : normal));
    }
    lines.resize(std::min(lines.size(), rows));
    return lines;
}

std::string redrawing(const std::vector<std::string>& before, const std::vector<std::string>& now) {
    std::string text;
    for (std::size_t at = 0; at < std::max(before.size(), now.size()); ++at) {
        const std::string_view line = at < now.size() ? now[at] : std::string_view{};
        if (at < before.size() && at < now.size() && before[at] == line) continue;
        text += fmt::format("\x1b[{};1H{}\x1b[K", at + 1, line);
    }
    return text;
}

} // namespace ipcbox::front
