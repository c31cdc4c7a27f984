// A document on its way into a file, which appears under its name only when it is whole. Until
// then:
//
//     NAME.part           what has come, locked (flock(2)) while somebody is at work
//     NAME.part.version   of which document that is: its URL, and its ETag or date
//
// A transfer that was cut off leaves both, whatever ended it, and can be taken up again; the
// version sees to it that a document is never put together from two.
#pragma once

#include "core/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::download {

class PartFile {
  public:
    enum class Leftover { take_up, discard };

    // Opens NAME.part for the document at URL; what is there of it already is taken up or
    // discarded. Where NAME is a symbolic link, what it points to is meant. Throws TransferError
    // when another process is at work on it, SysError.
    PartFile(const std::string& name, std::string url, Leftover leftover);
    // Leaves what has come, with its version.
    ~PartFile();
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    [[nodiscard]] int fd() const { return part_.get(); }
    // What errors call it.
    [[nodiscard]] const std::string& part_name() const { return part_name_; }
    // The bytes that are there, and the ETag or date that came with them: of these both or none.
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] const std::string& version() const { return version_; }

    // What follows is the document from its beginning, in this version (empty: it cannot be taken
    // up again).
    void restart(std::string_view version);
    // What follows belongs behind the bytes that are there already in NAME, which is not whole
    // either: somebody else made it.
    void continue_existing(std::string_view version);
    void wrote(std::uint64_t bytes) { size_ += bytes; }

    // It is whole: on the disk, and under its name.
    void finish();
    // It is not what was wanted: nothing is left.
    void discard() noexcept;

  private:
    void lock(const std::string& name);
    [[nodiscard]] bool is_taken_up(const std::string& url);
    void record(std::string_view version);

    std::string name_;
    std::string part_name_;
    std::string version_name_;
    std::string url_;
    Fd part_;
    std::uint64_t size_ = 0;
    std::string version_;
};

// What stands at NAME: nothing, a file that a document may replace, or something to be written as
// it is (a device, a FIFO).
struct ExistingFile {
    enum class Kind { none, regular, special } kind = Kind::none;
    std::uint64_t size = 0;
    std::int64_t modified = 0; // seconds since 1970
};
[[nodiscard]] ExistingFile look_at(const std::string& name);

} // namespace ipcbox::download
