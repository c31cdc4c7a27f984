#include "clocks/timers.h"

namespace ipcbox::clocks {

void Timers::set(std::size_t number, Deadline when) {
    entries_.push({when, number, ++generations_[number]});
}

void Timers::cancel(std::size_t number) {
    ++generations_[number];
}

std::optional<std::size_t> Timers::take_due() {
    while (!entries_.empty()) {
        const auto entry = entries_.top();
        const bool is_void = generations_[entry.number] != entry.generation;
        if (!is_void && !entry.when.passed()) return std::nullopt;
        entries_.pop();
        if (!is_void) return entry.number;
    }
    return std::nullopt;
}

Deadline Timers::next() const {
    return entries_.empty() ? Deadline::never() : entries_.top().when;
}

} // namespace ipcbox::clocks
