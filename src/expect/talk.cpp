#include "expect/talk.h"

#include <utility>

namespace ipcbox::expect {

namespace {

constexpr std::size_t max_recent = 16UL * 1024;

} // namespace

Talk::Talk(dialog::Peer& peer, std::size_t max_buffer, Sequences sequences, TalkListener listener)
    : peer_(peer), listener_(std::move(listener)), matcher_(max_buffer, sequences) {}

void Talk::show(std::string_view text) {
    if (text.empty()) return;
    recent_ += text;
    if (recent_.size() > 2 * max_recent) recent_.erase(0, recent_.size() - max_recent);
    listener_.output(text);
}

void Talk::hear(std::string_view bytes) {
    if (bytes.empty()) return;
    matcher_.add(bytes);
    show(secrets_.next(bytes));
}

void Talk::finish() {
    show(secrets_.finish());
}

dialog::Peer::Event Talk::read(Deadline deadline, int other) {
    std::string bytes;
    const auto event = peer_.read(bytes, deadline, other);
    hear(bytes);
    if (event == dialog::Peer::Event::interrupt) listener_.interrupt();
    return event;
}

dialog::Peer::Event Talk::type(std::string_view text, Deadline deadline) {
    for (;;) {
        std::string bytes;
        const auto event = peer_.send(text, bytes, deadline);
        hear(bytes);
        if (event != dialog::Peer::Event::interrupt) return event;
        listener_.interrupt();
    }
}

void Talk::type_keys(std::string_view keys) {
    if (listener_.keys && !keys.empty()) listener_.keys(keys);
    (void)type(keys, Deadline::never());
}

void Talk::end_input(Deadline deadline) {
    (void)type(peer_.end_of_input(), deadline);
}

std::optional<int> Talk::status(Deadline deadline) {
    for (;;) {
        if (const auto status = peer_.status(deadline)) return status;
        if (deadline.passed()) return {};
        listener_.interrupt();
    }
}

std::string Talk::last_lines(std::size_t count) const {
    std::string_view text{recent_};
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    std::size_t begin = text.size();
    while (begin > 0 && (text[begin - 1] != '\n' || --count > 0))
        --begin;
    return std::string{text.substr(begin)};
}

} // namespace ipcbox::expect
