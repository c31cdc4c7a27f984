#include "dialog/redirections.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/io.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::dialog {

namespace {

struct stat status_of(int fd) {
    struct stat status {};
    sys::call("fstat", ::fstat, fd, &status);
    return status;
}

} // namespace

Redirections::Redirections(const RedirectionNames& names) {
    if (!names.input.empty()) {
        input_ = open_file(names.input, O_RDONLY);
        streams_.input = input_.get();
    }
    if (!names.error.empty()) {
        error_ = open_file(names.error, O_WRONLY | O_CREAT | O_APPEND, new_file_mode);
        streams_.error = error_.get();
    }
    if (!names.whole.empty()) {
        whole_.emplace(names.whole);
        streams_.output = whole_->fd();
    } else if (!names.output.empty()) {
        output_ = open_output(names);
        streams_.output = output_.get();
    }
}

// Empties the file only when it is certainly not an input as well.
Fd Redirections::open_output(const RedirectionNames& names) const {
    Fd output =
        open_file(names.output, O_WRONLY | O_CREAT | (names.appends ? O_APPEND : 0), new_file_mode);
    const auto status = status_of(output.get());
    if (!S_ISREG(status.st_mode)) return output;
    const FileIdentity identity{status};
    if (identity == FileIdentity{status_of(input_ ? input_.get() : STDIN_FILENO)})
        throw Error(fmt::format("cannot write {}: it is also the input", names.output));
    if (names.appends) return output;
    for (const auto& word : names.commands) {
        struct stat named {};
        if (sys::call("stat", ::stat, word.c_str(), &named) == 0 && identity == FileIdentity{named})
            throw Error(fmt::format("cannot write {}: a command reads it, so it would be empty",
                                    names.output));
    }
    set_file_size(output.get(), 0, names.output);
    return output;
}

void Redirections::commit() {
    if (whole_) whole_->commit();
}

} // namespace ipcbox::dialog
