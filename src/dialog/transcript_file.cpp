#include "dialog/transcript_file.h"

#include "core/io.h"

#include <fcntl.h>

namespace ipcbox::dialog {

TranscriptFile::TranscriptFile(const std::optional<std::string>& name) : name_(name.value_or("")) {
    if (name) file_ = open_file(*name, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
}

void TranscriptFile::say(std::size_t party, std::string_view bytes) {
    if (file_) write_all(file_.get(), transcript_.say(party, bytes), name_);
}

void TranscriptFile::finish() {
    if (!file_) return;
    write_all(file_.get(), transcript_.finish(), name_);
    file_.close(name_);
}

} // namespace ipcbox::dialog
