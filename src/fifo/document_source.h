// Where documents come from: a text, a file that is read anew for each, or what a command prints. A
// document of a command is prepared before it is asked for.
#pragma once

#include "core/deadline.h"
#include "dialog/captured_command.h"
#include "fifo/served_fifo.h"

#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

namespace ipcbox::fifo {

class DocumentSource {
  public:
    DocumentSource() = default;
    DocumentSource(const DocumentSource&) = delete;
    DocumentSource& operator=(const DocumentSource&) = delete;
    virtual ~DocumentSource() = default;

    // The next document; nothing when it is not ready. One that could not be had is empty and says
    // why.
    [[nodiscard]] virtual std::optional<Document> next() = 0;

    // A source that needs time: prepare() sees to it that a document will be ready; true when one
    // has become ready. Call it again when an entry is ready and when the deadline has passed.
    virtual bool prepare() { return false; }
    virtual void add_poll_entries(std::vector<pollfd>&) const {}
    [[nodiscard]] virtual Deadline deadline() const { return Deadline::never(); }
};

[[nodiscard]] std::unique_ptr<DocumentSource> documents_of_text(std::string text);

// Throws SysError when the file cannot be read now. Only regular files are.
[[nodiscard]] std::unique_ptr<DocumentSource> documents_of_file(std::string path,
                                                                std::size_t limit);

// Throws as find_program() and spawn() do.
[[nodiscard]] std::unique_ptr<DocumentSource>
documents_of_command(std::vector<std::string> command, dialog::CapturedCommand::Limits limits);

} // namespace ipcbox::fifo
