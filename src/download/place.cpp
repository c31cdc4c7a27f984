#include "download/place.h"

#include "core/error.h"
#include "core/number.h"
#include "core/path.h"
#include "core/syscall.h"

#include <array>
#include <fmt/core.h>
#include <sys/sysmacros.h>
#include <utility>

namespace ipcbox::download {

namespace {

// The limit of the kernel (path_resolution(7)).
constexpr int max_links = 40;

// Looks only at the text of PATH, and follows no links.
std::optional<int> descriptor_in(std::string_view path) {
    constexpr std::array<std::pair<std::string_view, int>, 3> standard{
        {{"/dev/stdin", 0}, {"/dev/stdout", 1}, {"/dev/stderr", 2}}};
    for (const auto& [name, number] : standard)
        if (path == name) return number;
    for (const std::string_view directory : {"/dev/fd/", "/proc/self/fd/"})
        if (path.starts_with(directory)) return whole_number<int>(path.substr(directory.size()));
    return std::nullopt;
}

// The target of the link PATH; nothing when PATH is not a link.
std::optional<std::string> next_link(const std::string& path) {
    if (path.starts_with("/proc/")) return std::nullopt;
    auto target = read_link(path);
    if (!target || target->starts_with('/')) return target;
    return fmt::format("{}/{}", directory_of(path), *target);
}

} // namespace

std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) == 0) return status;
    if (errno == ENOENT) return std::nullopt;
    throw SysError("write", path);
}

ExistingFile look_at(const std::string& name) {
    const auto status = status_of(name);
    if (!status) return {};
    if (!S_ISREG(status->st_mode)) return {ExistingFile::Kind::special, 0, 0};
    return {ExistingFile::Kind::regular, static_cast<std::uint64_t>(status->st_size),
            status->st_mtime};
}

std::string without_links(const std::string& name) {
    std::string target = name;
    for (int links = 0; auto next = next_link(target); ++links) {
        if (links == max_links) return name;
        target = std::move(*next);
    }
    return target;
}

std::optional<int> descriptor_named(const std::string& name) {
    std::string target = name;
    for (int links = 0; links <= max_links; ++links) {
        if (const auto number = descriptor_in(target)) return number;
        auto next = next_link(target);
        if (!next) break;
        target = std::move(*next);
    }
    return std::nullopt;
}

bool is_null_device(const std::string& name) {
    if (name.empty()) return false;
    const auto status = status_of(name);
    return status && S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

std::string identity_of(const std::string& name) try {
    if (const auto number = descriptor_named(name)) return {};
    const auto here = status_of(name);
    if (here && !S_ISREG(here->st_mode)) return {};
    if (here) return fmt::format("{}:{}", here->st_dev, here->st_ino);
    const auto path = without_links(name);
    const auto directory = status_of(directory_of(path));
    if (!directory) return path;
    return fmt::format("{}:{}/{}", directory->st_dev, directory->st_ino, name_of(path));
} catch (const SysError&) { // the write fails later, for this document alone
    return name;
}

} // namespace ipcbox::download
