// A file of access rules that may change while a server runs.
#pragma once

#include "core/file_identity.h"
#include "server/access_rules.h"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>

namespace ipcbox::server {

class AccessFile {
  public:
    // Loads it. Throws RulesError for what is wrong in it, Error when it cannot be read or has more
    // than 4 MiB.
    explicit AccessFile(std::string path);

    // The rules as the file has them now: looked at with one stat(2), and read again when it
    // changed. While it is wrong, or not there, the last good rules stay in force. Who changes the
    // file had better rename(2) a new one over it: one that is half written can be right, too.
    // What is returned, and what was found in it, holds until the next call.
    [[nodiscard]] const AccessRules& current();

    // What was wrong when it was looked at last; told once.
    [[nodiscard]] std::optional<std::string> take_error();

  private:
    // What a change changes. (inode(7): nobody can set the last of them.)
    struct Version {
        FileIdentity identity;
        off_t size;
        std::chrono::nanoseconds modified;
        std::chrono::nanoseconds changed;

        explicit Version(const struct stat& status);
        friend bool operator==(const Version&, const Version&) = default;

        [[nodiscard]] bool is_settled() const;
    };
    void load();
    void note(const char* error);

    std::string path_;
    AccessRules rules_;
    std::optional<Version> seen_; // none: it is to be read again in any case
    std::string error_;           // the last one, until the file is right again
    bool is_told_ = true;
};

} // namespace ipcbox::server
