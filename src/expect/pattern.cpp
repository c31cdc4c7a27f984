#define PCRE2_CODE_UNIT_WIDTH 8
#include "expect/pattern.h"

#include "core/error.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <new>
#include <pcre2.h>

namespace ipcbox::expect {

namespace {

// A reasonable expression needs a few steps for each byte. This many take much less than a second.
constexpr std::uint32_t max_steps = 1'000'000;
constexpr std::uint32_t max_heap = 16UL * 1024; // KiB

template <auto Free> struct Freed {
    template <class Object> void operator()(Object* object) const { Free(object); }
};
template <class Object, auto Free> using Owned = std::unique_ptr<Object, Freed<Free>>;

std::string message_of(int error) {
    std::array<PCRE2_UCHAR, 256> text{};
    const int length = pcre2_get_error_message(error, text.data(), text.size());
    if (length < 0) return fmt::format("error {}", error);
    return {text.begin(), text.begin() + length};
}

PCRE2_SPTR bytes_of(std::string_view text) {
    return reinterpret_cast<PCRE2_SPTR>(text.data());
}

} // namespace

struct Pattern::Compiled {
    Owned<pcre2_code, pcre2_code_free> code;
    Owned<pcre2_match_data, pcre2_match_data_free> data;
    Owned<pcre2_match_context, pcre2_match_context_free> context;
    std::uint32_t lookbehind = 0;

    // The number of groups, or one of PCRE2's negative error numbers.
    [[nodiscard]] int match(std::string_view text, std::size_t from, std::uint32_t options) const {
        return pcre2_match(code.get(), bytes_of(text), text.size(), from, options, data.get(),
                           context.get());
    }
    [[nodiscard]] const PCRE2_SIZE* bounds() const { return pcre2_get_ovector_pointer(data.get()); }
};

Pattern::Pattern(std::string_view expression)
    : expression_(expression), compiled_(std::make_unique<Compiled>()) {
    const Owned<pcre2_compile_context, pcre2_compile_context_free> how{
        pcre2_compile_context_create(nullptr)};
    if (!how) throw std::bad_alloc();
    pcre2_set_newline(how.get(), PCRE2_NEWLINE_ANYCRLF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    auto& made = *compiled_;
    made.code.reset(pcre2_compile(bytes_of(expression), expression.size(), PCRE2_NEVER_BACKSLASH_C,
                                  &error, &offset, how.get()));
    if (!made.code) throw BadPattern(message_of(error), std::min(offset, expression.size()));
    made.data.reset(pcre2_match_data_create_from_pattern(made.code.get(), nullptr));
    made.context.reset(pcre2_match_context_create(nullptr));
    if (!made.data || !made.context) throw std::bad_alloc();
    pcre2_set_match_limit(made.context.get(), max_steps);
    pcre2_set_heap_limit(made.context.get(), max_heap);
    pcre2_pattern_info(made.code.get(), PCRE2_INFO_MAXLOOKBEHIND, &made.lookbehind);
    // \b, $, and ^ in (?m) look back by up to two bytes, which PCRE2 does not count.
    made.lookbehind = std::max<std::uint32_t>(made.lookbehind, 2);
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Pattern::Found Pattern::search(std::string_view text, std::size_t from) const {
    const int groups = compiled_->match(text, from, PCRE2_PARTIAL_SOFT);
    const auto* const bounds = compiled_->bounds();
    Found found;
    if (groups > 0) {
        found.match = Match{};
        auto& match = *found.match;
        match.begin = bounds[0];
        // With \K in a lookahead, the beginning can come after the end.
        match.end = std::max(bounds[0], bounds[1]);
        const auto count = pcre2_get_ovector_count(compiled_->data.get());
        for (std::size_t group = 0; group < count; ++group) {
            const auto begin = bounds[2 * group];
            const auto end = bounds[2 * group + 1];
            const bool has_part =
                group < static_cast<std::size_t>(groups) && begin != PCRE2_UNSET && begin <= end;
            match.groups.emplace_back(has_part ? text.substr(begin, end - begin)
                                               : std::string_view{});
        }
        return found;
    }
    if (groups != PCRE2_ERROR_NOMATCH && groups != PCRE2_ERROR_PARTIAL)
        throw Error(fmt::format("cannot match /{}/: {}", expression_, message_of(groups)));
    found.resume = groups == PCRE2_ERROR_PARTIAL ? bounds[0] : text.size();
    found.keep = found.resume - std::min<std::size_t>(found.resume, compiled_->lookbehind);
    return found;
}

bool Pattern::matches(std::string_view text) const {
    const int groups = compiled_->match(text, 0, 0);
    if (groups < 0 && groups != PCRE2_ERROR_NOMATCH)
        throw Error(fmt::format("cannot match /{}/: {}", expression_, message_of(groups)));
    return groups >= 0;
}

} // namespace ipcbox::expect
