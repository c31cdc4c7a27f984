#include "sysv/named_objects.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/process_fds.h"
#include "core/syscall.h"
#include "core/words.h"
#include "sysv/witnesses.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ipcbox::sysv {

namespace {

using Sort = NamedObject::Kind;
using Does = NamedUser::Does;
using File = std::pair<dev_t, ino_t>;

constexpr std::size_t max_text = 64UL * 1024;

// Nothing for a file that we may not read. O_NONBLOCK is for a FIFO, which is no semaphore or queue
// and would make us wait.
std::optional<std::string> text_of(const std::string& path) try {
    return read_to_end(open_file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW).get(), max_text, path);
} catch (const Error&) {
    return std::nullopt;
}

std::optional<struct stat> file_at(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return std::nullopt;
    return status;
}

NamedObject object_of(Sort kind, std::string name, const struct stat& status) {
    constexpr mode_t permissions = 0777;
    NamedObject object;
    object.kind = kind;
    object.name = std::move(name);
    object.device = status.st_dev;
    object.inode = status.st_ino;
    object.owner = status.st_uid;
    object.mode = status.st_mode & permissions;
    object.changed = status.st_mtime;
    object.size = static_cast<std::uint64_t>(status.st_size);
    return object;
}

// The objects of a directory: calls MAKE(path, name, status) for each regular file.
template <class Make> std::vector<NamedObject> files_of(const std::string& directory, Make make) {
    std::vector<NamedObject> objects;
    const Directory stream{::opendir(directory.c_str())};
    if (stream == nullptr && errno == ENOENT) return objects;
    if (stream == nullptr) throw SysError("read", directory);
    while (const auto* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        const auto path = fmt::format("{}/{}", directory, name);
        struct stat status {};
        if (sys::call("lstat", ::lstat, path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
            objects.push_back(make(path, name, status));
    }
    std::ranges::sort(objects, {}, &NamedObject::name);
    return objects;
}

NamedObject memory_file(const std::string& path, const std::string& name,
                        const struct stat& status) {
    constexpr std::string_view prefix = "sem.";
    const auto text = name.starts_with(prefix) ? text_of(path) : std::nullopt;
    const auto semaphore = text ? parse_semaphore_file(*text) : std::nullopt;
    if (!name.starts_with(prefix)) return object_of(Sort::memory, "/" + name, status);
    auto object = object_of(Sort::semaphore, "/" + name.substr(prefix.size()), status);
    if (semaphore) {
        object.value = semaphore->value;
        object.waiting = semaphore->waiting;
    }
    return object;
}

// Calls LOOK for each descriptor of PID. Has the form that look_at_processes() wants.
template <class Look> bool sees_descriptors(pid_t pid, bool& ended, Look look) {
    const auto view = look_at_descriptors(pid, [&](const auto& number, const auto& target) {
        look(number, target);
        return true;
    });
    ended = view == FdView::ended;
    return view == FdView::whole;
}

// The files in lines such as "7f1c…-7f1c… rw-s 00000000 00:1a 32774 /dev/shm/build".
std::vector<File> mapped_files(std::string_view maps) {
    constexpr int hexadecimal = 16;
    std::vector<File> files;
    while (!maps.empty()) {
        auto line = take_until(maps, '\n');
        for (int word = 0; word < 3; ++word)
            (void)take_word(line);
        auto device = take_word(line);
        const auto part = whole_number<unsigned>(take_until(device, ':'), hexadecimal);
        const auto rest = whole_number<unsigned>(device, hexadecimal);
        const auto inode = whole_number<ino_t>(take_word(line));
        if (!part || !rest || !inode || *inode == 0) continue;
        const File file{makedev(*part, *rest), *inode};
        if (std::ranges::find(files, file) == files.end()) files.push_back(file);
    }
    return files;
}

void add_user(NamedObject& object, Does does, pid_t pid) {
    const bool is_known = std::ranges::any_of(
        object.users, [&](const NamedUser& user) { return user.pid == pid && user.does == does; });
    if (!is_known) object.users.push_back({does, pid, find_process(pid)});
}

} // namespace

std::string_view name_of(Sort kind) {
    constexpr std::array<std::string_view, 4> names{"memory", "semaphore", "queue", "fifo"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Does does) {
    constexpr std::array<std::string_view, 4> names{"maps", "opens", "reads", "writes"};
    return names[static_cast<std::size_t>(does)];
}

std::optional<SemaphoreFile> parse_semaphore_file(std::string_view bytes) {
    constexpr std::size_t size = 32; // sem_t
    if (bytes.size() != size) return std::nullopt;
    std::array<std::uint32_t, 2> words{};
    std::memcpy(words.data(), bytes.data(), sizeof(words));
    return SemaphoreFile{words[0], words[1]};
}

std::optional<std::uint64_t> parse_queue_file(std::string_view text) {
    constexpr std::string_view name = "QSIZE:";
    if (!text.starts_with(name)) return std::nullopt;
    text.remove_prefix(name.size());
    return whole_number<std::uint64_t>(take_word(text));
}

std::optional<int> parse_open_mode(std::string_view text) {
    constexpr int octal = 8;
    constexpr std::string_view name = "flags:";
    const auto at = text.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + name.size());
    const auto flags = whole_number<int>(take_word(text), octal);
    return flags ? std::optional{*flags & O_ACCMODE} : std::nullopt;
}

std::vector<NamedObject> memory_files(const std::string& directory) {
    return files_of(directory, memory_file);
}

std::optional<std::vector<NamedObject>> message_queues(const std::string& mount) {
    constexpr auto queue_magic = 0x19800202;
    struct statfs system {};
    const auto ask = [](const char* path, struct statfs* into) { return ::statfs(path, into); };
    if (sys::call("statfs", ask, mount.c_str(), &system) < 0 || system.f_type != queue_magic) {
        // A kernel without the file system has no queues.
        const auto known = text_of("/proc/filesystems");
        const bool has_queues = !known || known->find("\tmqueue\n") != std::string::npos;
        return has_queues ? std::nullopt : std::optional{std::vector<NamedObject>{}};
    }
    return files_of(mount,
                    [](const std::string& path, const std::string& name, const auto& status) {
                        auto object = object_of(Sort::queue, "/" + name, status);
                        const auto text = text_of(path);
                        object.size = text ? parse_queue_file(*text).value_or(0) : 0;
                        return object;
                    });
}

std::vector<NamedObject> open_fifos() {
    std::map<File, NamedObject> fifos;
    const bool is_complete = look_at_processes([&](pid_t pid, bool& ended) {
        return sees_descriptors(pid, ended, [&](const auto& number, const auto& target) {
            // Skip a target without a name, such as "pipe:[1234]".
            if (!target.starts_with('/')) return;
            const auto status = file_at(fmt::format("/proc/{}/fd/{}", pid, number));
            if (!status || !S_ISFIFO(status->st_mode)) return;
            const auto text = text_of(fmt::format("/proc/{}/fdinfo/{}", pid, number));
            const int mode = text ? parse_open_mode(*text).value_or(O_RDONLY) : O_RDONLY;
            auto& fifo = fifos
                             .try_emplace({status->st_dev, status->st_ino},
                                          object_of(Sort::fifo, target, *status))
                             .first->second;
            if (mode != O_WRONLY) add_user(fifo, Does::reads, pid);
            if (mode != O_RDONLY) add_user(fifo, Does::writes, pid);
        });
    });
    std::vector<NamedObject> objects;
    for (auto& [file, fifo] : fifos) {
        fifo.may_have_more = !is_complete;
        objects.push_back(std::move(fifo));
    }
    std::ranges::sort(objects, {}, &NamedObject::name);
    return objects;
}

void add_users(std::vector<NamedObject>& objects) {
    if (objects.empty()) return;
    std::map<File, NamedObject*> by_file;
    std::set<std::string> queues;
    for (auto& object : objects) {
        by_file.emplace(File{object.device, object.inode}, &object);
        if (object.kind == Sort::queue) queues.insert(object.name);
    }
    const auto add = [&](const File& file, Does does, pid_t pid) {
        const auto found = by_file.find(file);
        if (found != by_file.end()) add_user(*found->second, does, pid);
    };
    const bool is_complete = look_at_processes([&](pid_t pid, bool& ended) {
        const auto maps = process_text(pid, "maps", ended);
        if (!maps) return false;
        for (const auto& file : mapped_files(*maps))
            add(file, Does::maps, pid);
        if (queues.empty()) return true;
        return sees_descriptors(pid, ended, [&](const auto& number, const auto& target) {
            // mq_open(3) makes the target a path below the mount, open(2) a path from the root.
            const auto slash = target.rfind('/');
            if (slash == std::string::npos || !queues.contains(target.substr(slash))) return;
            if (const auto status = file_at(fmt::format("/proc/{}/fd/{}", pid, number)))
                add({status->st_dev, status->st_ino}, Does::opens, pid);
        });
    });
    for (auto& object : objects)
        object.may_have_more = !is_complete;
}

} // namespace ipcbox::sysv
