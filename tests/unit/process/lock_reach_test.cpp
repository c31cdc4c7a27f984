#include "process/lock_reach.h"

#include "core/fd.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("a lock is local where the file system or its mount options make it so") {
    constexpr std::string_view mounts =
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,nolock\n"
        "30 22 0:40 / /home rw shared:9 - nfs4 server:/home rw,vers=4.2,local_lock=none\n"
        "31 22 0:41 / /old rw - nfs server:/old rw,nolock,vers=3\n"
        "32 22 0:42 / /far rw - fuse.sshfs me@server: rw,user_id=0\n"
        "33 22 0:43 / /share rw - cifs //server/share rw,nobrl\n"
        "34 22 0:44 / /fine rw - cifs //server/share rw\n"
        "35 22 0:45 / /broken rw\n"
        "broken\n";
    const auto reason = [&](unsigned major, unsigned minor) {
        return local_lock_reason_in(mounts, makedev(major, minor)).value_or("");
    };
    CHECK(reason(254, 0).empty());
    CHECK(reason(0, 40).empty());
    CHECK(reason(0, 41) == "nfs with nolock");
    CHECK(reason(0, 42) == "fuse.sshfs");
    CHECK(reason(0, 43) == "cifs with nobrl");
    CHECK(reason(0, 44).empty());
    CHECK(reason(0, 45).empty());
    CHECK(reason(9, 9).empty());
}

TEST_CASE("a file of this machine needs no warning") {
    const test::Scenario scenario;
    scenario.write_file("file", "");
    const Fd file = open_file("file", O_RDONLY);
    CHECK_FALSE(local_lock_reason(file.get()));
    CHECK_FALSE(local_lock_reason(-1));
}
