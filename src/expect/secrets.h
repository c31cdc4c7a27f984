// Masks texts that must not be shown: passwords that were sent, if the other side repeats them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// Whether PROMPT asks for what must not be kept: a password, a passphrase, a PIN.
[[nodiscard]] bool asks_for_secret(std::string_view prompt);

class Secrets {
  public:
    // An empty one is none.
    void add(std::string_view secret);

    // PIECE with eight asterisks in place of each secret. If PIECE ends with the beginning of a
    // secret, that part is held back until the next piece decides.
    [[nodiscard]] std::string next(std::string_view piece);
    // The part that was held back, when nothing follows. It is shown if it is too short to reveal
    // anything.
    [[nodiscard]] std::string finish();
    // A text that is complete.
    [[nodiscard]] std::string masked(std::string_view text) const;

  private:
    enum class End { open, reached };
    [[nodiscard]] std::string mask(std::string_view text, End end, std::size_t& done) const;

    std::vector<std::string> secrets_;
    std::string held_;
};

} // namespace ipcbox::expect
