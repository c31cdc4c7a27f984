#include "fault/plan.h"

#include "core/words.h"
#include "fault/failures.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace ipcbox::fault {

Plan::Rule Plan::parse_rule(std::string_view text) {
    const auto wrong = [text](std::string_view what) {
        return std::invalid_argument("IPCBOX_FAULT '" + std::string{text} +
                                     "': " + std::string{what});
    };
    const auto equals = text.find('=');
    const auto when = text.find_first_of("%@", std::min(equals, text.size()));
    if (equals == std::string_view::npos || when == std::string_view::npos)
        throw wrong("expected CALL=ERROR%N, CALL=ERROR@N or CALL=ERROR@childN");
    Rule rule{text.substr(0, equals), error_number(text.substr(equals + 1, when - equals - 1))};
    if (rule.error == 0) throw wrong("expected the name of an errno, or SHORT");
    if (rule.call == "*") rule.call = {};
    if (!can_happen(rule.call, rule.error)) throw wrong("this never happens");
    auto number = text.substr(when + 1);
    if (text[when] == '@') {
        constexpr std::string_view child = "child";
        rule.when = number.starts_with(child) ? When::once_in_child : When::once;
        if (rule.when == When::once_in_child) number.remove_prefix(child.size());
    }
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), rule.number);
    if (error != std::errc{} || end != number.data() + number.size() || rule.number == 0)
        throw wrong("expected a number from 1");
    return rule;
}

Plan Plan::parse(std::string_view text) {
    Plan plan;
    while (!text.empty()) {
        if (plan.count_ == max_rules) throw std::invalid_argument("IPCBOX_FAULT: too many rules");
        plan.rules_[plan.count_++] = parse_rule(take_until(text, ','));
    }
    return plan;
}

sys::detail::Fault Plan::next(std::string_view call, Arguments arguments, Process process) {
    if (!is_known(call))
        throw std::invalid_argument("fault/failures.cpp does not know what '" + std::string{call} +
                                    "' can fail with");
    sys::detail::Fault fault;
    for (auto& rule : std::span{rules_}.first(count_)) {
        if (!rule.call.empty() && rule.call != call) continue;
        if (rule.when == When::once && process == Process::child) continue;
        if (rule.when == When::once_in_child && process == Process::first) continue;
        if (!is_possible(call, arguments, rule.error)) continue;
        ++rule.seen;
        const bool due =
            rule.when == When::every ? rule.seen % rule.number == 0 : rule.seen == rule.number;
        if (!due) continue;
        if (rule.error == short_count)
            fault.shortened = true;
        else
            fault.error = rule.error;
    }
    return fault;
}

} // namespace ipcbox::fault
