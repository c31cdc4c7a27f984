#include "expect/secrets.h"

#include "core/ascii.h"

#include <algorithm>
#include <utility>

namespace ipcbox::expect {

namespace {
constexpr std::string_view mask_text = "********";
constexpr std::size_t max_told = 2;
} // namespace

bool asks_for_secret(std::string_view prompt) {
    const auto text = ascii::lower(prompt);
    const auto says = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    return says("password") || says("passphrase") || says("passwd") || says("pin:") ||
           says("pin code");
}

void Secrets::add(std::string_view secret) {
    if (secret.empty()) return;
    secrets_.emplace_back(secret);
    // If one secret begins with another, find the longer one first.
    std::ranges::sort(secrets_, std::ranges::greater{}, &std::string::size);
}

std::string Secrets::mask(std::string_view text, End end, std::size_t& done) const {
    std::string result;
    while (done < text.size()) {
        const auto rest = text.substr(done);
        const bool is_begun = std::ranges::any_of(secrets_, [rest](const std::string& secret) {
            return secret.size() > rest.size() && secret.starts_with(rest);
        });
        if (is_begun && end == End::open) break;
        const auto whole = std::ranges::find_if(
            secrets_, [rest](const std::string& secret) { return rest.starts_with(secret); });
        if (whole != secrets_.end()) {
            result += mask_text;
            done += whole->size();
        } else if (is_begun && rest.size() > max_told) {
            result += mask_text;
            done = text.size();
        } else {
            result += text[done++];
        }
    }
    return result;
}

std::string Secrets::next(std::string_view piece) {
    if (secrets_.empty()) return std::string{piece};
    held_ += piece;
    std::size_t done = 0;
    auto result = mask(held_, End::open, done);
    held_.erase(0, done);
    return result;
}

std::string Secrets::finish() {
    return masked(std::exchange(held_, {}));
}

std::string Secrets::masked(std::string_view text) const {
    std::size_t done = 0;
    return mask(text, End::reached, done);
}

} // namespace ipcbox::expect
