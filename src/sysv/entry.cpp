#include "sysv/entry.h"

#include "core/counted.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::sysv {

using Does = User::Does;

std::string_view name_of(Does does) {
    switch (does) {
    case Does::holds:
        return "holds";
    case Does::took:
        return "took";
    case Does::shares:
        return "shares";
    case Does::waits:
        return "waits";
    case Does::attached:
        break;
    }
    return "attached";
}

void judge(Entry& entry) {
    const auto decide = [&](Use use, std::string why) {
        entry.use = use;
        entry.why = std::move(why);
    };
    const auto& object = entry.object;
    if (!entry.is_readable) return decide(Use::unknown, "we may not read the set");
    if (entry.taken > 0)
        return decide(Use::used, *entry.slots == 1 ? "its token is taken"
                                                   : fmt::format("{} of {} tokens are taken",
                                                                 entry.taken, *entry.slots));
    if (entry.waiting > 0)
        return decide(Use::used, counted(static_cast<std::uint64_t>(entry.waiting),
                                         "process waits for it", "processes wait for it"));
    if (object.kind == Kind::memory && object.count > 0)
        return decide(Use::used,
                      counted(object.count, "process is attached", "processes are attached"));
    if (object.kind == Kind::memory || entry.slots) return decide(Use::free, {});
    // A queue, or the set of another program, does not show its users. Judge by the processes that
    // used it.
    if (entry.creator == Presence::alive)
        return decide(Use::used, "a process that used it is alive");
    if (entry.may_have_more) return decide(Use::unknown, "not all processes can be seen");
    if (entry.creator == Presence::unknown && object.used != 0)
        return decide(Use::unknown, "the processes that used it cannot be seen");
    decide(Use::free, {});
}

} // namespace ipcbox::sysv
