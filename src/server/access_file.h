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
    // Loads the file PATH. Throws RulesError when a rule is wrong, and Error when the file cannot
    // be read or is larger than 4 MiB.
    explicit AccessFile(std::string path);

    // The rules as the file has them now. Each call costs one stat(2); a file that has changed is
    // read again. While the file is wrong or missing, the last good rules stay in force.
    // Administrators should change it by rename(2): a file that is half written may be valid too.
    // The result, and every rule that match() found in it, is valid until the next call.
    [[nodiscard]] const AccessRules& current();

    // The error that the last look at the file found. Each error is returned once.
    [[nodiscard]] std::optional<std::string> take_error();

  private:
    // The attributes by which a change is noticed. No program can set the last of them (inode(7),
    // ctime).
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
    std::optional<Version> seen_; // none: read the file again in any case
    std::string error_;           // the last one, until the file is right again
    bool is_told_ = true;
};

} // namespace ipcbox::server
