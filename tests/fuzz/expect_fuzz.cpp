// The scripts of pty-expect, and the output of programs, which pty-expect strips of escape
// sequences, searches, and masks.
#include "expect/ansi.h"
#include "expect/matcher.h"
#include "expect/script.h"
#include "expect/secrets.h"
#include "require.h"

#include <algorithm>

using namespace ipcbox;

namespace {

void check_script(std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    try {
        const auto script = expect::parse_script(text, "script");
        for (const auto& statement : script.statements) {
            require(statement.at.line <= lines && !statement.source.empty());
            require(statement.action.target <= script.statements.size());
            for (const auto& arm : statement.arms)
                require(arm.action.target <= script.statements.size());
        }
    } catch (const expect::ScriptError& error) {
        require(error.at().line >= 1 && error.at().line <= lines);
        require(error.at().column >= 1 && error.at().column <= text.size() + 1);
    }
}

// The pieces give the same result as the whole.
void check_ansi(std::string_view text) {
    std::string whole;
    expect::AnsiFilter{}.strip(text, whole);
    std::string in_bytes;
    expect::AnsiFilter filter;
    for (const char byte : text)
        filter.strip({&byte, 1}, in_bytes);
    require(whole == in_bytes);
}

void check_matcher(std::string_view text) {
    constexpr std::size_t size = 64;
    expect::Matcher matcher{size, expect::Sequences::stripped};
    const expect::Pattern word{"[a-z]+ $"};
    const expect::Pattern prompt{"(?m)^> "};
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 7))) {
        matcher.look_for({&word, &prompt});
        matcher.add(text.substr(0, 7));
        while (const auto hit = matcher.find()) {
            require(hit->which < 2 && !hit->match.groups.empty());
            matcher.look_for({&word, &prompt});
        }
        require(matcher.text().size() <= size);
    }
}

void check_secrets(std::string_view text) {
    const auto secret = text.substr(0, std::min<std::size_t>(text.size() / 4, 8));
    expect::Secrets secrets;
    secrets.add(secret);
    std::string shown;
    for (const char byte : text)
        shown += secrets.next({&byte, 1});
    shown += secrets.finish();
    const bool can_stand_in_mask = secret.find_first_not_of('*') == std::string_view::npos;
    const bool is_told_by_end = secret.size() <= 2; // see Secrets::finish()
    require(can_stand_in_mask || is_told_by_end || shown.find(secret) == std::string::npos ||
            secret.find('*') != std::string_view::npos);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_script(text);
    check_ansi(text);
    check_matcher(text);
    check_secrets(text);
    return 0;
}
