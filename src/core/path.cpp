#include "core/path.h"

#include "core/error.h"
#include "core/syscall.h"

#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

std::string directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return std::string{path.substr(0, slash == 0 ? 1 : slash)};
}

std::string absolute_path(const std::string& path) {
    if (path.starts_with('/')) return path;
    std::array<char, 4096> directory{}; // PATH_MAX
    const auto get = [](char* into, std::size_t size) {
        return ::getcwd(into, size) == nullptr ? -1 : 0;
    };
    if (sys::call("getcwd", get, directory.data(), directory.size()) < 0)
        throw SysError("find", "the working directory");
    const std::string above{directory.data()};
    return above == "/" ? above + path : above + "/" + path;
}

std::optional<std::string> read_link(const std::string& path) {
    std::array<char, 4096> target{}; // PATH_MAX
    const ssize_t size =
        sys::call("readlink", ::readlink, path.c_str(), target.data(), target.size());
    if (size < 0) return std::nullopt;
    if (static_cast<std::size_t>(size) == target.size()) { // the target may be longer
        errno = ENAMETOOLONG;
        return std::nullopt;
    }
    return std::string{target.data(), static_cast<std::size_t>(size)};
}

void make_directories(const std::string& path) {
    constexpr mode_t all = 0777; // less the umask
    const auto make = [&path] { return sys::call("mkdir", ::mkdir, path.c_str(), all); };
    if (make() == 0) return;
    if (errno == ENOENT) {
        const auto above = directory_of(path);
        if (above == path || above == ".") throw SysError("make", path);
        make_directories(above);
        if (make() == 0) return;
    }
    // Another process may have created it meanwhile.
    const int error = errno;
    struct stat status {};
    const bool is_there = error == EEXIST && sys::call("stat", ::stat, path.c_str(), &status) == 0;
    if (!is_there || !S_ISDIR(status.st_mode)) throw SysError("make", path, error);
}

} // namespace ipcbox
