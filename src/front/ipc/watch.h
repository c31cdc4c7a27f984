// Watches System V objects: as a picture on a terminal (front/ipc/picture.h), and elsewhere as one
// line for each change (front/ipc/changes.h).
#pragma once

#include "core/deadline.h"
#include "front/ipc/changes.h"

#include <functional>
#include <vector>

namespace ipcbox::front {

// Looks again and again, with PAUSE after each look. On a terminal it draws, and q ends it;
// elsewhere, or with JSON, it prints the changes.
using IpcLook = std::function<std::vector<sysv::Entry>()>;
void watch_ipc(const IpcLook& look, Duration pause, IpcChanges::Form form);

} // namespace ipcbox::front
