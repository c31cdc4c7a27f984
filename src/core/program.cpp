#include "core/program.h"

#include "core/error.h"
#include "core/path.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string_view>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

constexpr const char* shell = "/bin/sh";
constexpr const char* own_link = "/proc/self/exe";

// execve(2) takes char* for compatibility with old C, but does not change the text.
char* mutable_text(const char* text) {
    return const_cast<char*>(text);
}

// Whether the file is a program for another machine, or a broken one. The shell would take it for a
// script and complain about its syntax. Does not change errno.
bool is_binary(const char* path) noexcept {
    const int error = errno;
    std::array<char, SELFMAG> magic{};
    const int file =
        sys::call("openat", ::openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0) {
        for (std::size_t have = 0; have < magic.size();) {
            const ssize_t got = sys::call(
                "read", ::read, file, static_cast<void*>(magic.data() + have), magic.size() - have);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            have += static_cast<std::size_t>(got);
        }
        sys::call("close", ::close, file);
    }
    errno = error;
    return std::string_view{magic.data(), magic.size()} == ELFMAG;
}

// 0 when PATH is a file that we may execute; otherwise the errno that says why not.
int execution_error(const std::string& path) {
    if (sys::call("faccessat", ::faccessat, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) < 0)
        return errno;
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return errno;
    return S_ISREG(status.st_mode) ? 0 : EACCES;
}

} // namespace

std::string find_program(const std::string& name) {
    const char* const variable = std::getenv("PATH");
    // The directories that execvp(3) searches when PATH is not set.
    return find_program(name, variable != nullptr ? variable : "/bin:/usr/bin");
}

std::string find_program(const std::string& name, std::string_view path) {
    if (name.find('/') != std::string::npos) {
        if (const int error = execution_error(name); error != 0) throw_exec_error(name, error);
        return name;
    }
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

std::string path_of_execution() {
    const auto number = ::getauxval(AT_EXECFN);
    const auto* const text =
        reinterpret_cast<const char*>(number); // NOLINT(performance-no-int-to-ptr)
    const std::string path = text != nullptr ? text : "";
    if (path.empty() || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/")) return {};
    if (path.starts_with('/')) return path;
    std::array<char, 4096> directory{}; // PATH_MAX
    if (::getcwd(directory.data(), directory.size()) == nullptr) return {};
    return fmt::format("{}/{}", directory.data(), path);
}

std::string own_program() {
    if (auto path = read_link(own_link)) return *std::move(path);
    const int error = errno;
    auto path = path_of_execution();
    if (path.empty()) throw SysError("find", "our own program", error);
    return path;
}

std::string own_image() {
    return read_link(own_link) ? own_link : own_program();
}

void execute(const std::string& program, std::span<const std::string> arguments) {
    restore_inherited_signals();
    execute_with_signals_blocked(program, arguments);
}

void execute_with_signals_blocked(const std::string& program,
                                  std::span<const std::string> arguments) {
    throw_exec_error(program, PreparedProgram{program, arguments}.execute());
}

PreparedProgram::PreparedProgram(const std::string& program, std::span<const std::string> arguments,
                                 const std::vector<std::string>* environment)
    : program_(program), has_environment_(environment != nullptr) {
    arguments_.reserve(arguments.size() + 3);
    arguments_.push_back(mutable_text(shell));
    for (const auto& argument : arguments)
        arguments_.push_back(mutable_text(argument.c_str()));
    // Keep a place for the script's name: the shell needs it even if the program gets no argv[0].
    if (arguments.empty()) arguments_.push_back(nullptr);
    arguments_.push_back(nullptr);
    if (environment == nullptr) return;
    environment_.reserve(environment->size() + 1);
    for (const auto& variable : *environment)
        environment_.push_back(mutable_text(variable.c_str()));
    environment_.push_back(nullptr);
}

int PreparedProgram::execute() noexcept {
    char* const* const variables = has_environment_ ? environment_.data() : environ;
    sys::call("execve", ::execve, program_.c_str(), arguments_.data() + 1, variables);
    if (errno != ENOEXEC || is_binary(program_.c_str())) return errno;
    arguments_[1] = mutable_text(program_.c_str());
    sys::call("execve", ::execve, shell, arguments_.data(), variables);
    return errno == ENOENT ? ENOEXEC : errno; // without a shell, the script cannot run
}

void throw_exec_error(const std::string& program, int error) {
    const bool missing = error == ENOENT || error == ENOTDIR;
    throw Error(
        fmt::format("cannot execute {}: {}", program.empty() ? "''" : program, error_text(error)),
        missing ? exit_status::not_found : exit_status::cannot_execute);
}

} // namespace ipcbox
