#include "front/ipc/watch.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/terminal.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/format.h>
#include <tuple>
#include <unistd.h>

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

// The parts of an entry whose change is worth a new line. Ages are left out.
std::string fingerprint(const Entry& entry) {
    auto text =
        fmt::format("{} {:o} {} {} {} {}", entry.key_text(), entry.object.mode, entry.object.owner,
                    state_text(entry), entry.waiting, entry.unknown_users);
    for (const auto& user : entry.users)
        text += fmt::format(" {}:{}", user.pid, sysv::name_of(user.does));
    return text;
}

// What the user wants: to leave, or to see other rows.
enum class Wish { none, leave, down, up, next_page, first_page };

Wish next_wish(bool& has_ended) {
    std::array<std::byte, 1> key{};
    if (read_some(STDIN_FILENO, key, "standard input") == 0) {
        has_ended = true;
        return Wish::leave;
    }
    switch (static_cast<char>(key[0])) {
    case 'q':
    case 'Q':
        return Wish::leave;
    case 'j':
        return Wish::down;
    case 'k':
        return Wish::up;
    case ' ':
        return Wish::next_page;
    case 'g':
        return Wish::first_page;
    default:
        return Wish::none;
    }
}

class Screen {
  public:
    Screen(const IpcLook& look, Duration pause) : look_(look), pause_(pause) {
        put("\x1b[?1049h\x1b[?25l"); // switch to the alternate screen, hide the cursor
    }
    ~Screen() {
        try {
            put("\x1b[?25h\x1b[?1049l");
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): the terminal is gone
        }
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    // Returns the signal that ends us, or 0.
    int run() {
        SignalFd signals{SIGINT, SIGTERM, SIGHUP, SIGWINCH};
        for (;;) {
            entries_ = look_();
            const auto deadline = Deadline::after(pause_);
            do {
                draw();
                std::array<pollfd, 2> ready{pollfd{signals.fd(), POLLIN, 0},
                                            pollfd{STDIN_FILENO, POLLIN, 0}};
                if (poll_until(ready, deadline) == 0) break;
                if (ready[0].revents != 0)
                    while (const auto signal = signals.next()) {
                        if (*signal != SIGWINCH) return *signal;
                        shown_.clear();
                        put("\x1b[2J");
                    }
                bool has_ended = false;
                if (ready[1].revents != 0 && fulfil(next_wish(has_ended))) return 0;
            } while (!deadline.passed());
        }
    }

  private:
    static void put(std::string_view text) { write_all(STDOUT_FILENO, text, "standard output"); }

    bool fulfil(Wish wish) {
        const std::size_t page = std::max<std::size_t>(terminal_size(STDOUT_FILENO).rows, 4) - 3;
        switch (wish) {
        case Wish::leave:
            return true;
        case Wish::down:
            ++first_;
            break;
        case Wish::up:
            first_ -= std::min<std::size_t>(first_, 1);
            break;
        case Wish::next_page:
            first_ = first_ + page < entries_.size() ? first_ + page : 0;
            break;
        case Wish::first_page:
            first_ = 0;
            break;
        case Wish::none:
            break;
        }
        return false;
    }

    void draw() {
        first_ = std::min(first_, entries_.empty() ? 0 : entries_.size() - 1);
        const auto [rows, columns] = terminal_size(STDOUT_FILENO);
        auto now = picture_of(entries_, users_, first_, rows, columns);
        if (const auto text = redrawing(shown_, now); !text.empty()) put(text);
        shown_ = std::move(now);
    }

    const IpcLook& look_;
    Duration pause_;
    UserNames users_;
    std::vector<Entry> entries_;
    std::vector<std::string> shown_;
    std::size_t first_ = 0;
};

} // namespace

std::vector<std::string> picture_of(std::vector<Entry> entries, UserNames& users, std::size_t first,
                                    std::size_t rows, std::size_t columns) {
    std::ranges::stable_sort(entries, [](const Entry& left, const Entry& right) {
        return std::tuple{-left.waiting, !is_used(left)} <
               std::tuple{-right.waiting, !is_used(right)};
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
        const auto& entry = entries[at];
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

std::vector<std::string> IpcChanges::since_last(const std::vector<Entry>& entries,
                                                UserNames& users) {
    std::vector<std::string> lines;
    std::map<std::pair<sysv::Kind, int>, std::string> now;
    for (const auto& entry : entries) {
        const std::pair place{entry.object.kind, entry.object.id};
        auto print = fingerprint(entry);
        const auto known = known_.find(place);
        if (known == known_.end() || known->second != print)
            lines.push_back(form_ == Form::json
                                ? json_of(entry, users)
                                : fmt::format("{} {}: {}; {}\n", known == known_.end() ? '+' : '~',
                                              object_text(entry), state_text(entry),
                                              users_text(entry)));
        now.emplace(place, std::move(print));
    }
    for (const auto& [place, print] : known_) {
        if (now.contains(place)) continue;
        const auto kind = sysv::short_name_of(place.first);
        lines.push_back(form_ == Form::json ? cli::JsonLine{}
                                                  .set("kind", kind)
                                                  .set("id", place.second)
                                                  .set_flag("gone", true)
                                                  .text()
                                            : fmt::format("- {}:{}\n", kind, place.second));
    }
    known_ = std::move(now);
    return lines;
}

void watch_ipc(const IpcLook& look, Duration pause, IpcChanges::Form form) {
    if (form == IpcChanges::Form::text && cli::is_terminal(STDOUT_FILENO) &&
        cli::is_terminal(STDIN_FILENO)) {
        int signal = 0;
        {
            const UnbufferedKeys keys{STDIN_FILENO};
            signal = Screen{look, pause}.run();
        }
        if (signal != 0) die_of(signal);
        return;
    }
    UserNames users;
    for (IpcChanges changes{form};;) {
        for (const auto& line : changes.since_last(look(), users))
            cli::print(line);
        cli::flush();
        (void)poll_until({}, Deadline::after(pause));
    }
}

} // namespace ipcbox::front
