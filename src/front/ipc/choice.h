// Selects the System V objects that the user of ipc-list or ipc-remove means.
#pragma once

#include "sysv/object_name.h"
#include "sysv/survey.h"

#include <vector>

namespace ipcbox::front {

// The kinds that an option asks for; none asks for all.
struct IpcKinds {
    bool semaphores = false;
    bool memory = false;
    bool messages = false;

    [[nodiscard]] bool any() const { return semaphores || memory || messages; }
    [[nodiscard]] std::vector<sysv::Kind> chosen() const;
};

// All objects of these kinds that NAMES mean, or all of them when there are no NAMES.
[[nodiscard]] std::vector<sysv::Object> ipc_objects(const IpcKinds& kinds,
                                                    const std::vector<sysv::ObjectName>& names);

// NAMES as keys that a survey can recognize.
[[nodiscard]] sysv::KnownNames known_names(const std::vector<sysv::ObjectName>& names);

// Whether ENTRY is an object that NAMES mean; all are when there are no NAMES.
[[nodiscard]] bool is_meant(const sysv::Entry& entry, const std::vector<sysv::ObjectName>& names);

} // namespace ipcbox::front
