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

// The lines of a terminal of ROWS by COLUMNS: a summary, titles, and the objects from the FIRST on,
// those that somebody waits for before those that are in use, before the rest. Each line fits and
// has its colours with it.
[[nodiscard]] std::vector<std::string> picture_of(std::vector<sysv::Entry> entries,
                                                  UserNames& users, std::size_t first,
                                                  std::size_t rows, std::size_t columns);

// What turns the picture BEFORE into the picture NOW on a terminal: only lines that differ.
[[nodiscard]] std::string redrawing(const std::vector<std::string>& before,
                                    const std::vector<std::string>& now);

// What was new, has changed or is gone since the last time.
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

// Looks again and again, PAUSE after each look; draws on the terminal, where q ends it, or prints
// changes. JSON makes it print changes in any case.
using IpcLook = std::function<std::vector<sysv::Entry>()>;
void watch_ipc(const IpcLook& look, Duration pause, IpcChanges::Form form);

} // namespace ipcbox::front
