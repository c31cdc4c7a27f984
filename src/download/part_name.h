// The names of a document's temporary files: NAME.TAIL.part and NAME.TAIL.state.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::download {

struct PartNames {
    std::string part;
    std::string state;
};

// For the file FILE, in the same directory. FILE's last name is cut, between characters of UTF-8,
// when the names would be longer than NAME_MAX.
[[nodiscard]] PartNames part_names(const std::string& file, std::string_view tail);

// The same tail for the same last name of FILE, and another one for any other.
[[nodiscard]] std::string tail_for(std::string_view file);
// A random tail that nobody can guess. Throws SysError.
[[nodiscard]] std::string random_tail();

} // namespace ipcbox::download
