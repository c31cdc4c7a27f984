// Texts that must not be shown: passwords that were sent, when the other side repeats them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::dialog {

// Whether PROMPT asks for what must not be kept: a password, a passphrase, a PIN.
[[nodiscard]] bool asks_for_secret(std::string_view prompt);

class Secrets {
  public:
    // An empty one is none.
    void add(std::string_view secret);

    // PIECE with eight asterisks for each secret. The beginning of a secret at its end is held back
    // until the next piece tells what it is.
    [[nodiscard]] std::string next(std::string_view piece);
    // What was held back, when nothing follows: it is shown, if it is too short to tell anything.
    [[nodiscard]] std::string finish();
    // A text that is complete.
    [[nodiscard]] std::string masked(std::string_view text) const;

  private:
    enum class End { open, reached };
    [[nodiscard]] std::string mask(std::string_view text, End end, std::size_t& done) const;

    std::vector<std::string> secrets_;
    std::string held_;
};

} // namespace ipcbox::dialog
