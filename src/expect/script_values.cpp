#include "expect/script_values.h"

#include "core/duration.h"
#include "core/number.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::expect {

Duration read_duration(ScriptReader& reader) {
    reader.skip_blanks();
    const auto at = reader.position();
    const auto limit = duration_in(reader.word());
    if (!limit) reader.fail(at, "expected a duration, such as 10s or 1m30s, here");
    return *limit == Duration::zero() ? Duration::max() : *limit;
}

int read_status(ScriptReader& reader, std::string_view stops) {
    reader.skip_blanks();
    const auto at = reader.position();
    const auto number = whole_number<int>(reader.word(stops));
    constexpr int max_status = 255;
    if (!number || *number < 0 || *number > max_status)
        reader.fail(at, "expected a status from 0 to 255 here");
    return *number;
}

std::string read_name(ScriptReader& reader, std::string_view what) {
    reader.skip_blanks();
    const auto at = reader.position();
    const auto word = reader.word();
    require_name(reader, at, word, what);
    return std::string{word};
}

void require_name(const ScriptReader& reader, Position at, std::string_view word,
                  std::string_view what) {
    if (!is_script_name(word)) reader.fail(at, fmt::format("expected {} here", what));
}

Pattern read_pattern(ScriptReader& reader) {
    reader.skip_blanks();
    auto at = reader.position();
    const auto regex = reader.delimited('/', "/REGEX/");
    std::string flags;
    while (std::string_view{"imsx"}.find(reader.peek()) != std::string_view::npos)
        flags += reader.take();
    const auto prefix = flags.empty() ? std::string{} : fmt::format("(?{})", flags);
    try {
        return Pattern{prefix + std::string{regex}};
    } catch (const BadPattern& error) {
        at.column += 1 + error.offset() - std::min(prefix.size(), error.offset());
        reader.fail(at, error.what());
    }
}

Text read_quoted(ScriptReader& reader) {
    reader.skip_blanks();
    auto at = reader.position();
    try {
        return parse_text(reader.delimited('"', "a text in quotes"));
    } catch (const BadText& error) {
        at.column += 1 + error.offset();
        reader.fail(at, error.what());
    }
}

} // namespace ipcbox::expect
