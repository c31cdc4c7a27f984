// System V objects as they change: a picture on a terminal, and one line for each change elsewhere.
#pragma once

#include "core/deadline.h"
#include "front/ipc/rows.h"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ipcbox::front {

// The lines of a terminal of ROWS by COLUMNS: a summary, titles, and the objects from FIRST on.
// Objects that processes wait for come first, then those that are in use, then the rest. Each line
// fits, and includes its colours.
[[nodiscard]] std::vector<std::string> picture_of(std::vector<sysv::Entry> entries,
                                                  UserNames& users, std::size_t first,
                                                  std::size_t rows, std::size_t columns);

// The bytes that turn the picture BEFORE into the picture NOW on a terminal. Only lines that differ
// are drawn.
[[nodiscard]] std::string redrawing(const std::vector<std::string>& before,
                                    const std::vector<std::string>& now);

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

// Looks again and again, with PAUSE after each look. On a terminal it draws, and q ends it;
// elsewhere, or with JSON, it prints the changes.
using IpcLook = std::function<std::vector<sysv::Entry>()>;
void watch_ipc(const IpcLook& look, Duration pause, IpcChanges::Form form);

} // namespace ipcbox::front
