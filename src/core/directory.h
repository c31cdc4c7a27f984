// A directory that is read entry by entry (readdir(3)), and its owner.
#pragma once

#include <dirent.h>
#include <memory>

namespace ipcbox {

struct DirectoryCloser {
    void operator()(DIR* stream) const { (void)::closedir(stream); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

} // namespace ipcbox
