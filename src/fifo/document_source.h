// The sources of documents: a text, a file that is read again for each document, or the output of a
// command, which runs before its document is asked for.
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

    // The next document; nothing when it is not ready yet. If a document could not be made, it is
    // empty and has the reason.
    [[nodiscard]] virtual std::optional<Document> next() = 0;

    // For a source that needs time: starts or continues to make the next document. True when one
    // has become ready. Call it again when an entry is ready and when the deadline has passed.
    virtual bool prepare() { return false; }
    virtual void add_poll_entries(std::vector<pollfd>&) const {}
    [[nodiscard]] virtual Deadline deadline() const { return Deadline::never(); }
};

[[nodiscard]] std::unique_ptr<DocumentSource> documents_of_text(std::string text);

// Throws SysError when the file cannot be read now, or is not a regular file.
[[nodiscard]] std::unique_ptr<DocumentSource> documents_of_file(std::string path,
                                                                std::size_t limit);

// Throws as find_program() and spawn() do.
[[nodiscard]] std::unique_ptr<DocumentSource>
documents_of_command(std::vector<std::string> command, dialog::CapturedCommand::Limits limits);

} // namespace ipcbox::fifo
