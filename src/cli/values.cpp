#include "cli/values.h"

#include "core/ascii.h"
#include "core/duration.h"
#include "core/number.h"
#include "core/service.h"
#include "core/signals.h"
#include "core/user.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <optional>
#include <stdexcept>

namespace ipcbox::cli {

namespace {

// Removes the digits and dots at the front of TEXT, and returns them.
std::string_view take_number(std::string_view& text) {
    const auto number = text.substr(0, text.find_first_not_of("0123456789."));
    text.remove_prefix(number.size());
    return number;
}

// A number that can be a uid or a gid: any except the largest, which means "unchanged" for
// chown(2).
std::optional<id_t> user_or_group_id(std::string_view text) {
    const auto id = whole_number<id_t>(text);
    return id == std::numeric_limits<id_t>::max() ? std::nullopt : id;
}

} // namespace

std::string parse_text(std::string_view text) {
    return std::string{text};
}

std::string parse_file(std::string_view text) {
    if (text.empty()) throw std::invalid_argument("expected the name of a file");
    return std::string{text};
}

Duration parse_duration(std::string_view text) {
    if (const auto duration = duration_in(text)) return *duration;
    throw std::invalid_argument{
        "expected a duration such as 0.25, 500ms, 10s, 2m, 1h30m, 1d or 1w"};
}

Duration parse_positive_duration(std::string_view text) {
    const auto duration = parse_duration(text);
    if (duration == Duration::zero()) throw std::invalid_argument{"expected a duration above 0"};
    return duration;
}

Duration parse_time_limit(std::string_view text) {
    const auto duration = parse_duration(text);
    return duration == Duration::zero() ? Duration::max() : duration;
}

Duration parse_offset(std::string_view text) {
    constexpr auto longest = std::chrono::years{100};
    const bool back = text.starts_with('-');
    if (back || text.starts_with('+')) text.remove_prefix(1);
    const auto size = parse_duration(text);
    if (size > longest) throw std::invalid_argument{"expected at most a hundred years"};
    return back ? -size : size;
}

std::uint64_t parse_size(std::string_view text) {
    const auto wrong = [] {
        return std::invalid_argument{"expected a number of bytes such as 4096, 4K, 2M or 1G"};
    };
    const auto number = whole_number<std::uint64_t>(take_number(text));
    constexpr std::string_view letters = "KMGT";
    if (!number || text.size() > 1) throw wrong();
    const auto power = text.empty() ? 0 : letters.find(ascii::upper(text.front())) + 1;
    if (!text.empty() && power == 0) throw wrong(); // power is 0 for an unknown letter (npos + 1)
    const auto shift = 10 * power;
    if (*number > std::numeric_limits<std::uint64_t>::max() >> shift) throw wrong();
    return *number << shift;
}

std::function<int(std::string_view)> number_between(int min, int max) {
    return [min, max](std::string_view text) {
        const auto number = whole_number<int>(text);
        if (!number || *number < min || *number > max)
            throw std::invalid_argument(fmt::format("expected a number from {} to {}", min, max));
        return *number;
    };
}

mode_t parse_mode(std::string_view text) {
    constexpr int octal = 8;
    const auto mode = whole_number<mode_t>(text, octal);
    if (!mode || *mode > 0777)
        throw std::invalid_argument("expected octal permissions such as 600 or 0640");
    return *mode;
}

int parse_signal(std::string_view text) {
    if (const auto number = signal_number(text)) return *number;
    if (const auto name = nearest_signal_name(text); !name.empty())
        throw std::invalid_argument(fmt::format("no such signal; did you mean {}?", name));
    throw std::invalid_argument("expected a signal such as TERM, SIGTERM, 15 or RTMIN+3");
}

std::uint16_t parse_port(std::string_view text) {
    if (const auto port = service_port(text)) return *port;
    throw std::invalid_argument("expected a port from 0 to 65535 or the name of a service");
}

Owner parse_owner(std::string_view text) {
    const auto colon = text.find(':');
    const auto user_text = text.substr(0, colon);
    Owner owner;
    if (const auto uid = user_or_group_id(user_text)) {
        owner.uid = *uid;
        const auto user = find_user(*uid);
        if (user)
            owner = {user->uid, user->gid, user->name};
        else if (colon == std::string_view::npos)
            throw std::invalid_argument("no user has this uid, so a group is needed: UID:GID");
    } else if (const auto user = find_user(user_text)) {
        owner = {user->uid, user->gid, user->name};
    } else {
        throw std::invalid_argument("there is no such user");
    }
    if (colon == std::string_view::npos) return owner;
    const auto group_text = text.substr(colon + 1);
    if (const auto gid = user_or_group_id(group_text))
        owner.gid = *gid;
    else if (const auto group = find_group(group_text))
        owner.gid = *group;
    else
        throw std::invalid_argument("there is no such group");
    return owner;
}

} // namespace ipcbox::cli
