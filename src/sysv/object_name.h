// How a user names existing System V objects.
//
//     sem:12, shm:12, msg:12    exactly one
//     @build, ./path, 0x4d2     all with this key; with a name, only those whose label is right
//     1234                      all with this key or this id
#pragma once

#include "sysv/entry.h"
#include "sysv/key.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::sysv {

class ObjectName {
  public:
    // Throws std::invalid_argument, which says what was expected, or Error for a path that does not
    // exist.
    [[nodiscard]] static ObjectName parse(std::string_view text);

    // As the user wrote it.
    [[nodiscard]] const std::string& text() const { return text_; }
    // "@build".
    [[nodiscard]] bool is_name() const { return key_ && key_->is_name(); }
    // Whether this may mean OBJECT: a name still has to be proved.
    [[nodiscard]] bool may_mean(const Object& object) const;
    // Whether this means ENTRY.
    [[nodiscard]] bool means(const Entry& entry) const;

  private:
    explicit ObjectName(std::string_view text) : text_(text) {}

    std::string text_;
    std::optional<Key> key_;
    std::optional<Kind> kind_;
    std::optional<int> id_;
};

} // namespace ipcbox::sysv
