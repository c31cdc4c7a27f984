// Which calls fail on purpose, in the binary that is built for the fault tests
// (fault/injector.cpp).
#pragma once

#include "core/syscall.h"

#include <array>
#include <string_view>

namespace ipcbox::fault {

// What IPCBOX_FAULT asks for: rules CALL=WHAT WHEN with commas between them and no blanks.
//
//     read=EINTR%2       every second read
//     *=ENOMEM@7         the seventh call that can fail with ENOMEM, whatever it is
//     *=EMFILE@child1    the first one in a child, forked or spawned
//     write=SHORT%1      every write moves one byte
//
// Only calls that can really fail like this are counted, and made to fail.
class Plan {
  public:
    enum class Process { first, child };

    // Throws std::invalid_argument for a text that is not a rule, and for a fault that cannot
    // happen.
    [[nodiscard]] static Plan parse(std::string_view text);

    // The fault that this call is to have. Throws std::invalid_argument for a call that is missing
    // in the table of what each call can fail with.
    [[nodiscard]] sys::detail::Fault
    next(std::string_view call, std::span<const sys::detail::Argument> arguments, Process process);

  private:
    enum class When { every, once, once_in_child };

    struct Rule {
        std::string_view call; // empty: any
        int error = 0;
        When when = When::every;
        unsigned number = 1;
        unsigned seen = 0;
    };
    static constexpr std::size_t max_rules = 8;

    [[nodiscard]] static Rule parse_rule(std::string_view text);

    std::array<Rule, max_rules> rules_{};
    std::size_t count_ = 0;
};

} // namespace ipcbox::fault
