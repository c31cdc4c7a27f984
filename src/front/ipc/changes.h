// System V objects as they change: one line for each change.
#pragma once

#include "front/ipc/rows.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ipcbox::front {

// The objects that are new, have changed or are gone since the last time.
class IpcChanges {
  public:
    enum class Form { text, json };
    explicit IpcChanges(Form form) : form_(form) {}

    [[nodiscard]] std::vector<std::string> since_last(const std::vector<sysv::Entry>& entries,
                                                      UserNames& users);

  private:
    Form form_;
    std::map<std::pair<sysv::Kind, int>, std::string> known_;
};

} // namespace ipcbox::front
