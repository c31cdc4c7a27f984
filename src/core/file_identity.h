// The identity of a file, independent of its name: inode(7).
#pragma once

#include <sys/stat.h>

namespace ipcbox {

struct FileIdentity {
    dev_t device = 0;
    ino_t number = 0;

    FileIdentity(dev_t on, ino_t inode) : device(on), number(inode) {}
    explicit FileIdentity(const struct stat& status)
        : device(status.st_dev), number(status.st_ino) {}
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

} // namespace ipcbox
