// A file that appears under its name only when it is whole: until then it is NAME.NUMBER.part in
// the same directory, which rename(2) puts into NAME's place. What was under the name stays there
// until then, and for good if we fail or are killed.
#pragma once

#include "core/fd.h"

#include <string>

namespace ipcbox {

class WholeFile {
  public:
    // Makes the part file, with the mode and the owner of the file that it will replace. Where NAME
    // is a symbolic link, its target is meant. Throws Error when NAME is there and no regular file,
    // SysError.
    explicit WholeFile(const std::string& name);
    // Removes a part file that did not become the file.
    ~WholeFile();
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    [[nodiscard]] int fd() const { return file_.get(); }

    // Brings the bytes to the disk and the file under its name. Throws SysError.
    void commit();

  private:
    void take_after(const std::string& replaced);

    std::string name_;
    std::string part_name_; // empty when there is none any more
    Fd file_;
};

} // namespace ipcbox
