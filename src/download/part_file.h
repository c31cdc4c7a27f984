// A document on its way into a file. The file appears under its name only when the document is
// whole. Until then the bytes are in a part file beside it:
//
//     NAME.TAIL.part    what has come, locked (flock(2)) while a process works on it
//     NAME.TAIL.state   of which document that is: its URL and its version
//
// TAIL is derived from NAME, so that the next run finds the files of an earlier one without a
// search. If a file that is not ours has that name already, TAIL is random. NAME is cut when the
// whole would be longer than a file's name can be.
//
// If a file cannot take the place of another, or if that would change more than its bytes (its
// owner, its other names), the document is written into the file in place.
#pragma once

#include "core/fd.h"
#include "download/resumption.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace ipcbox::download {

class PartFile {
  public:
    enum class Begin { anew, where_it_broke_off };

    // Opens a part file for the document at URL that is to become NAME. Where NAME is a symbolic
    // link, its target is meant. Throws TransferError when another process is at work on the same
    // file, SysError.
    PartFile(const std::string& name, std::string url, Begin begin);
    // Leaves the bytes that have come, with their state.
    ~PartFile();
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    [[nodiscard]] int fd() const { return part_.get(); }
    // The name that error messages use.
    [[nodiscard]] const std::string& part_name() const { return part_name_; }
    // The bytes that are there, and the version that came with them.
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] const DocumentVersion& version() const { return version_; }

    // Drops the bytes that are there: the document now comes from its beginning, in this version.
    void restart(const DocumentVersion& version);
    // The next bytes belong behind those that are in NAME already, which another tool left
    // unfinished.
    void continue_existing(const DocumentVersion& version);
    // BYTES more bytes are there. Now and then this tells the disk to begin with them, so that
    // finish() does not have to wait for all of them.
    void wrote(std::uint64_t bytes);

    // The date that finish() gives to the file; nothing: the current time.
    void set_time(std::optional<std::time_t> modified) { modified_ = modified; }
    // The document is whole: puts it on the disk, and gives it its name.
    void finish();
    // The document is not the wanted one: removes it.
    void discard() noexcept;
    // Whether the document was, or will be, written into the file in place.
    [[nodiscard]] bool is_in_place() const { return in_place_; }

  private:
    void open(const std::string& name);
    [[nodiscard]] bool open_with(const std::string& tail, int flags);
    [[nodiscard]] bool open_in_place();
    [[nodiscard]] bool try_to_lock() const;
    void lock(const std::string& name);
    [[nodiscard]] bool is_ours() const;
    [[nodiscard]] bool is_taken_up();
    void record(const DocumentVersion& version);
    [[nodiscard]] bool takes_place_of(const struct stat& replaced) const;
    void write_in_place();

    std::string name_;
    std::string part_name_;
    std::string state_name_;
    std::string url_;
    Fd part_;
    bool in_place_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t on_its_way_ = 0; // bytes that the disk was told to begin with
    DocumentVersion version_;
    std::optional<std::time_t> modified_;
};

} // namespace ipcbox::download
