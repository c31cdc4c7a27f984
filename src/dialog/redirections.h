// The files that a pipeline reads and writes in place of our own standard streams, like a shell's
// <, >, >> and 2>>.
#pragma once

#include "core/fd.h"
#include "core/whole_file.h"
#include "dialog/pipeline.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::dialog {

// Empty names leave a stream as it is.
struct RedirectionNames {
    std::string input{};
    std::string output{};
    bool appends = false; // to OUTPUT, which otherwise is emptied
    std::string whole{};  // in place of OUTPUT: a file that is replaced when commit() is called
    std::string error{};  // always appended to
    // The words of the commands. OUTPUT is not emptied when one of them names it.
    std::vector<std::string> commands{};
};

class Redirections {
  public:
    // Opens them. Throws SysError, and Error when OUTPUT is also the input: opening it would empty
    // the input, which is the shell's classic way to lose a file.
    explicit Redirections(const RedirectionNames& names);

    [[nodiscard]] const PipelineStreams& streams() const { return streams_; }
    // To be called once the output is complete. Throws SysError.
    void commit();

  private:
    Fd open_output(const RedirectionNames& names) const;

    Fd input_;
    Fd output_;
    Fd error_;
    std::optional<WholeFile> whole_;
    PipelineStreams streams_;
};

} // namespace ipcbox::dialog
