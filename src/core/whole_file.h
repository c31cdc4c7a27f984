// A file that appears under its name only when it is complete. Until then it is NAME.NUMBER.part in
// the same directory, which then takes NAME's place. An older file of that name stays there until
// then, and for good if we fail or are killed.
//
// Everything happens in the directory that was opened first (openat(2)), so nobody can lead us
// elsewhere by exchanging a directory of the path meanwhile.
#pragma once

#include "core/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox {

struct WholeFilePlan {
    // For a NAME that is a symbolic link: write its target, or refuse.
    enum class Link { follow, refuse } link = Link::follow;
    // What happens to an existing file of that name. A back-up is called NAME~.
    enum class Existing { replace, keep, back_up } existing = Existing::replace;
    // Nothing: the mode of the file that is replaced, or 666 without the bits of the umask.
    std::optional<mode_t> mode{};
};

// We could replace a file that its owner has made read-only, and nobody expects that. Throws
// SysError when NAME is such a file. PATH is for the error.
void require_writable(int directory, const std::string& name, std::string_view path);

class WholeFile {
  public:
    // Creates the part file, with the owner of the file that it will replace if that is possible.
    // Throws Error when NAME exists and is not a regular file, or must be kept; SysError.
    explicit WholeFile(const std::string& name, const WholeFilePlan& plan = {});
    // Removes a part file that did not become the file.
    ~WholeFile() { discard(); }
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    [[nodiscard]] int fd() const { return file_.get(); }
    // The directory in which the file is.
    [[nodiscard]] const Fd& directory() const { return directory_; }

    // Brings the bytes to the disk, and puts the file under its name. Throws Error when a file that
    // must be kept has appeared meanwhile; SysError.
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
