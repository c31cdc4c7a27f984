#include "core/side_file.h"

#include "core/error.h"
#include "core/io.h"

#include <fcntl.h>
#include <utility>

namespace ipcbox {

SideFile::SideFile(std::string name, int flags)
    : name_(std::move(name)), file_(open_file(name_, O_WRONLY | O_CREAT | flags, new_file_mode)) {}

void SideFile::write(std::string_view text) try {
    if (file_) write_all(file_.get(), text, name_);
} catch (const SysError& error) {
    failure_ = error.what();
    file_ = Fd{};
}

void SideFile::close() try {
    if (file_) file_.close(name_);
} catch (const SysError& error) {
    failure_ = error.what();
}

} // namespace ipcbox
