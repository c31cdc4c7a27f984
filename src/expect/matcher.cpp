#include "expect/matcher.h"

#include <algorithm>
#include <utility>

namespace ipcbox::expect {

void Matcher::add(std::string_view bytes) {
    if (sequences_ == Sequences::stripped)
        filter_.strip(bytes, text_);
    else
        text_ += bytes;
    // If there are patterns, find() forgets later, after it has searched all of BYTES.
    if (patterns_.empty()) forget_oldest();
}

void Matcher::look_for(std::vector<const Pattern*> patterns) {
    patterns_ = std::move(patterns);
    if (patterns_.empty()) forget_oldest();
    resume_.assign(patterns_.size(), 0);
}

std::optional<Matcher::Hit> Matcher::find() {
    std::optional<Hit> first;
    for (std::size_t which = 0; which < patterns_.size(); ++which) {
        auto found = patterns_[which]->search(text_, resume_[which]);
        if (!found.match)
            resume_[which] = found.resume;
        else if (!first || found.match->begin < first->match.begin)
            first = Hit{which, *std::move(found.match)};
    }
    if (first) {
        text_.erase(0, first->match.end);
        patterns_.clear();
    } else {
        forget_oldest();
    }
    return first;
}

void Matcher::forget_oldest() {
    if (text_.size() <= max_bytes_) return;
    // Drop half of the text at once. Otherwise all of it would move each time that a byte arrives.
    const std::size_t gone = text_.size() - max_bytes_ / 2;
    text_.erase(0, gone);
    for (auto& place : resume_)
        place -= std::min(place, gone);
}

} // namespace ipcbox::expect
