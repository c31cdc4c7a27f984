// The text that has arrived and was not matched yet, searched for several patterns at once. Each
// byte is looked at once for each pattern, however small the pieces are, and memory is bounded.
#pragma once

#include "expect/ansi.h"
#include "expect/pattern.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

enum class Sequences { kept, stripped };

class Matcher {
  public:
    // Keeps at most MAX_BYTES that were not matched; beyond that, the oldest bytes are dropped.
    Matcher(std::size_t max_bytes, Sequences sequences)
        : max_bytes_(max_bytes), sequences_(sequences) {}

    void add(std::string_view bytes);

    // Begins to look for PATTERNS, which have to live until a match or the next call. With no
    // pattern, stops looking.
    void look_for(std::vector<const Pattern*> patterns);
    struct Hit {
        std::size_t which = 0; // of the patterns
        Pattern::Match match;
    };
    // The match that begins first; if two begin at the same byte, that of the earlier pattern.
    // Removes the text up to its end. Throws as Pattern::search() does.
    [[nodiscard]] std::optional<Hit> find();

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    void forget_oldest();

    std::size_t max_bytes_;
    Sequences sequences_;
    AnsiFilter filter_;
    std::string text_;
    std::vector<const Pattern*> patterns_;
    std::vector<std::size_t> resume_;
};

} // namespace ipcbox::expect
