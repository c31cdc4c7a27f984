#include "expect/interaction.h"

#include "core/io.h"
#include "core/terminal.h"
#include "dialog/kept_end.h"

#include <array>
#include <optional>
#include <string>
#include <unistd.h>

namespace ipcbox::expect {

namespace {

// Typed keys. The last ones may be the beginning of the ESCAPE pattern.
class Keys {
  public:
    explicit Keys(const Pattern* escape) : escape_(escape) {}

    struct Ready {
        std::string text;
        bool is_escape = false; // the escape follows the text
    };
    Ready next(std::string_view keys) {
        held_ += keys;
        if (escape_ == nullptr) return {std::exchange(held_, {})};
        auto found = escape_->search(held_);
        const auto ready = found.match ? found.match->begin : found.resume;
        Ready result{held_.substr(0, ready), found.match.has_value()};
        held_.erase(0, ready);
        return result;
    }
    std::string finish() { return std::exchange(held_, {}); }

  private:
    const Pattern* escape_;
    std::string held_;
};

} // namespace

InteractionEnd interact(Talk& talk, const Pattern* escape) {
    // A program's terminal echoes typed text. A server does not, so there our own terminal echoes
    // each line.
    std::optional<RawTerminal> raw;
    if (talk.peer().is_program()) raw.emplace(STDIN_FILENO);
    Keys keys{escape};
    dialog::KeptEnd end;
    int typist = STDIN_FILENO;
    for (;;) {
        const auto event = talk.read(end.next_look(), typist);
        if (event == dialog::Peer::Event::end) return InteractionEnd::peer;
        if (event == dialog::Peer::Event::timeout) {
            const bool is_gone = talk.peer().has_no_input();
            if (is_gone) talk.end_input(Deadline::never());
            end.look_again(is_gone);
        }
        // If we were stopped, a shell has used our terminal and changed its mode.
        if (event == dialog::Peer::Event::interrupt && raw) raw->apply();
        if (event != dialog::Peer::Event::other) continue;
        std::array<std::byte, 4096> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init)
        const auto count = read_some(STDIN_FILENO, bytes, "standard input");
        if (count == 0) {
            talk.type_keys(keys.finish());
            talk.end_input(Deadline::never());
            if (talk.peer().is_program()) end.begin();
            typist = -1;
            continue;
        }
        const auto ready = keys.next({reinterpret_cast<const char*>(bytes.data()), count});
        talk.type_keys(ready.text);
        if (ready.is_escape) return InteractionEnd::escape;
    }
}

} // namespace ipcbox::expect
