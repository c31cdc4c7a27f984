#include "dialog/transcript_file.h"

#include "core/error.h"
#include "core/io.h"

#include <fcntl.h>

namespace ipcbox::dialog {

TranscriptFile::TranscriptFile(const std::optional<std::string>& name) : name_(name.value_or("")) {
    if (name) file_ = open_file(*name, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
}

void TranscriptFile::write(std::string_view text) try {
    write_all(file_.get(), text, name_);
} catch (const SysError& error) {
    failure_ = error.what();
    file_ = Fd{};
}

void TranscriptFile::say(std::size_t party, std::string_view bytes) {
    if (file_) write(transcript_.say(party, bytes));
}

void TranscriptFile::finish() {
    if (file_) write(transcript_.finish());
    try {
        if (file_) file_.close(name_);
    } catch (const SysError& error) {
        failure_ = error.what();
    }
}

} // namespace ipcbox::dialog
