#include "core/program.h"

#include "core/error.h"
#include "core/exec_arguments.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// 0 when PATH is a file that we may execute, else the errno that says why not.
int execution_error(const std::string& path) {
    if (sys::call("faccessat", ::faccessat, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) < 0)
        return errno;
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return errno;
    return S_ISREG(status.st_mode) ? 0 : EACCES;
}

} // namespace

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (const int error = execution_error(name); error != 0) throw_exec_error(name, error);
        return name;
    }
    const char* variable = std::getenv("PATH");
    // What execvp(3) searches when PATH is not set.
    const std::string_view path = variable != nullptr ? variable : "/bin:/usr/bin";
    int error = ENOENT;
    for (std::size_t start = 0; start <= path.size() && !name.empty();) {
        const std::size_t end = std::min(path.find(':', start), path.size());
        // An empty entry is the working directory (POSIX 8.3).
        const auto directory =
            start == end ? std::string_view{"."} : path.substr(start, end - start);
        auto candidate = fmt::format("{}/{}", directory, name);
        const int candidate_error = execution_error(candidate);
        if (candidate_error == 0) return candidate;
        if (candidate_error == EACCES) error = EACCES;
        start = end + 1;
    }
    throw_exec_error(name, error);
}

std::string own_program() {
    std::array<char, 4096> path{}; // PATH_MAX
    const auto size = sys::call("readlink", ::readlink, "/proc/self/exe", path.data(), path.size());
    if (size < 0) throw SysError("find", "our own program");
    return {path.data(), static_cast<std::size_t>(size)};
}

void execute(const std::string& program, std::span<const std::string> arguments) {
    restore_inherited_signals();
    execute_with_signals_blocked(program, arguments);
}

void execute_with_signals_blocked(const std::string& program,
                                  std::span<const std::string> arguments) {
    const auto pointers = exec_pointers(arguments);
    sys::call("execve", ::execve, program.c_str(), pointers.data(), environ);
    throw_exec_error(program, errno);
}

} // namespace ipcbox
