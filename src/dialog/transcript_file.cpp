#include "dialog/transcript_file.h"

#include <fcntl.h>

namespace ipcbox::dialog {

TranscriptFile::TranscriptFile(const std::optional<std::string>& name) {
    if (name) file_ = SideFile{*name, O_TRUNC};
}

void TranscriptFile::say(std::size_t party, std::string_view bytes) {
    if (file_) file_.write(transcript_.say(party, bytes));
}

void TranscriptFile::finish() {
    if (file_) file_.write(transcript_.finish());
    file_.close();
}

} // namespace ipcbox::dialog
