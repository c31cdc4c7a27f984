// A stdio stream and its owner, for the files in /etc that the C library reads line by line.
#pragma once

#include <cstdio>
#include <memory>

namespace ipcbox {

struct StdioCloser {
    void operator()(FILE* file) const { (void)std::fclose(file); }
};
using StdioFile = std::unique_ptr<FILE, StdioCloser>;

// Opened for reading, close-on-exec; null when that is not possible.
[[nodiscard]] inline StdioFile open_for_reading(const char* path) {
    return StdioFile{std::fopen(path, "re")};
}

} // namespace ipcbox
