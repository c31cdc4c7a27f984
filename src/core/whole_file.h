// A file that appears under its name only when it is whole: until then it is NAME.NUMBER.part in
// the same directory, which then takes NAME's place. What was under the name stays there until
// then, and for good if we fail or are killed.
//
// Everything is done in the directory that was opened at first (openat(2)): nobody who exchanges a
// directory of the path meanwhile can lead it elsewhere.
#pragma once

#include "core/fd.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace ipcbox {

struct WholeFilePlan {
    // Of a NAME that is a symbolic link: its target is meant, or it is refused.
    enum class Link { follow, refuse } link = Link::follow;
    // What becomes of a file that has the name already. A back-up is called NAME~.
    enum class Existing { replace, keep, back_up } existing = Existing::replace;
    // Nothing: the one of the file that is replaced, or what the umask makes of 666.
    std::optional<mode_t> mode{};
};

class WholeFile {
  public:
    // Makes the part file, with the owner of the file that it will replace if that can be. Throws
    // Error when NAME is there and no regular file, or is to be kept; SysError.
    explicit WholeFile(const std::string& name, const WholeFilePlan& plan = {});
    // Removes a part file that did not become the file.
    ~WholeFile() { discard(); }
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    [[nodiscard]] int fd() const { return file_.get(); }
    // The directory in which the file is.
    [[nodiscard]] const Fd& directory() const { return directory_; }

    // Brings the bytes to the disk and the file under its name. Throws Error when a file that is to
    // be kept has come meanwhile; SysError.
    void commit();
    void discard() noexcept;

  private:
    void take_after();

    std::string path_; // for errors
    std::string name_; // in the directory
    WholeFilePlan plan_;
    Fd directory_;
    std::string part_; // empty when there is none any more
    Fd file_;
};

} // namespace ipcbox
