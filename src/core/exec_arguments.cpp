#include "core/exec_arguments.h"

#include "core/error.h"

#include <fmt/core.h>

namespace ipcbox {

std::vector<char*> exec_pointers(std::span<const std::string> strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    // execve(2) takes char* for the sake of old C, and changes nothing.
    for (const auto& text : strings)
        pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

void throw_exec_error(const std::string& name, int error) {
    const bool missing = error == ENOENT || error == ENOTDIR;
    throw Error(fmt::format("cannot execute {}: {}", name, error_text(error)),
                missing ? exit_status::not_found : exit_status::cannot_execute);
}

} // namespace ipcbox
