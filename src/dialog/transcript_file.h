// The transcript of a conversation in a file, or in none.
#pragma once

#include "core/side_file.h"
#include "dialog/transcript.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::dialog {

class TranscriptFile {
  public:
    // Of two parties. Empties the file; without NAME nothing is written. Throws SysError.
    explicit TranscriptFile(const std::optional<std::string>& name);

    explicit operator bool() const { return static_cast<bool>(file_); }

    // PARTY, from 0, says BYTES.
    void say(std::size_t party, std::string_view bytes);
    // The conversation is over.
    void finish();
    // Why the file is not whole; empty when it is. The conversation goes on without it.
    [[nodiscard]] const std::string& failure() const { return file_.failure(); }

  private:
    SideFile file_;
    Transcript transcript_{2};
};

} // namespace ipcbox::dialog
