// A talk with a peer (dialog/peer.h). Its output is shown, searched for patterns, and kept in case
// the talk fails. The secrets that were typed are masked.
#pragma once

#include "core/deadline.h"
#include "dialog/peer.h"
#include "expect/matcher.h"
#include "expect/secrets.h"

#include <functional>
#include <string>
#include <string_view>

namespace ipcbox::expect {

struct TalkListener {
    // What the peer writes, without secrets.
    std::function<void(std::string_view)> output;
    // The descriptor of Peer::interrupt_by() is readable. It may throw.
    std::function<void()> interrupt;
    // The keys of a person, before they are typed; may be left out.
    std::function<void(std::string_view)> keys{};
};

class Talk {
  public:
    // PEER has to live as long as the talk.
    Talk(dialog::Peer& peer, std::size_t max_buffer, Sequences sequences, TalkListener listener);

    // Both throw SysError, and what the listener throws. When read() returns an interrupt, the
    // listener knows of it; type() goes on after one.
    [[nodiscard]] dialog::Peer::Event read(Deadline deadline, int other = -1);
    [[nodiscard]] dialog::Peer::Event type(std::string_view text, Deadline deadline);
    // The same for what a person has typed.
    void type_keys(std::string_view keys);
    // Types the end of input.
    void end_input(Deadline deadline);
    // Waits for the program's end, as Peer::status() does, and goes on after an interrupt.
    [[nodiscard]] std::optional<int> status(Deadline deadline);

    [[nodiscard]] dialog::Peer& peer() noexcept { return peer_; }
    [[nodiscard]] Matcher& matcher() noexcept { return matcher_; }
    [[nodiscard]] Secrets& secrets() noexcept { return secrets_; }

    // Shows what was held back because it may be the beginning of a secret.
    void finish();
    // The last COUNT lines that the peer wrote.
    [[nodiscard]] std::string last_lines(std::size_t count) const;

  private:
    void hear(std::string_view bytes);
    void show(std::string_view text);

    dialog::Peer& peer_;
    TalkListener listener_;
    Matcher matcher_;
    Secrets secrets_;
    std::string recent_;
};

} // namespace ipcbox::expect
