#include "front/ipc/choice.h"

#include <algorithm>

namespace ipcbox::front {

std::vector<sysv::Kind> IpcKinds::chosen() const {
    std::vector<sysv::Kind> kinds;
    const bool all = !any();
    if (all || semaphores) kinds.push_back(sysv::Kind::semaphores);
    if (all || memory) kinds.push_back(sysv::Kind::memory);
    if (all || messages) kinds.push_back(sysv::Kind::messages);
    return kinds;
}

std::vector<sysv::Object> ipc_objects(const IpcKinds& kinds,
                                      const std::vector<sysv::ObjectName>& names) {
    std::vector<sysv::Object> objects;
    for (const auto kind : kinds.chosen()) {
        auto some = sysv::all_objects(kind);
        if (!names.empty())
            std::erase_if(some, [&](const sysv::Object& object) {
                return std::ranges::none_of(
                    names, [&](const auto& name) { return name.may_mean(object); });
            });
        objects.insert(objects.end(), some.begin(), some.end());
    }
    return objects;
}

sysv::KnownNames known_names(const std::vector<sysv::ObjectName>& names) {
    sysv::KnownNames known;
    for (const auto& name : names)
        known.add(name.text());
    return known;
}

bool is_meant(const sysv::Entry& entry, const std::vector<sysv::ObjectName>& names) {
    return names.empty() ||
           std::ranges::any_of(names, [&](const auto& name) { return name.means(entry); });
}

} // namespace ipcbox::front
