#include "front/ipc/watch.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/terminal.h"
#include "front/ipc/picture.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using sysv::Entry;

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
