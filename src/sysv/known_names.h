// Names whose keys may be in use. A key is a hash of its name (sysv/key.h), so the name of a
// segment or a stream can only be guessed, and then proved by the object's label. Processes that
// use an object often have its name in their command lines.
#pragma once

#include "sysv/key.h"

#include <map>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::sysv {

class KnownNames {
  public:
    // Adds TEXT, if it is a name.
    void add(std::string_view text);
    // Adds each @name in the words of a command line, which NUL separates, and in the words within
    // them.
    void add_words_of(std::string_view command_line);
    // Adds those of all processes that /proc shows us.
    void add_processes();

    // The name with this key; null when none is known.
    [[nodiscard]] const Key* find(key_t key) const;

  private:
    std::map<key_t, Key> names_;
};

} // namespace ipcbox::sysv
