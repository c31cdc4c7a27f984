// ipc-list and ipc-remove beside ipcs, lsipc, ipcmk and ipcrm, on the same objects and with the
// same numbers.
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox::test;

namespace {

// Runs the scripts OURS and THEIRS in one IPC namespace. Both should print the same lines of words.
void compare(const std::string& ours, const std::string& theirs) {
    if (::geteuid() != 0) {
        MESSAGE("not root: no namespace of our own");
        return;
    }
    Scenario scenario;
    const std::string make =
        "for i in 1 2 3; do ipcmk -S $i; ipcmk -M ${i}0000 -p 0640; ipcmk -Q -p 0604; done "
        ">/dev/null; sem-create -n 3 @build >/dev/null; "
        "shm-write --create --size 100 @state </dev/null; ";
    const auto by = [&](const std::string& command) {
        const auto result = scenario.run(
            {"unshare", "--ipc", "--pid", "--fork", "--mount-proc", "sh", "-c", make + command});
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        return result.out;
    };
    const auto listed = by(ours);
    CHECK_FALSE(listed.empty());
    CHECK(listed == by(theirs));
}

} // namespace

TEST_CASE("ipc-list prints the ids, modes, owners and sizes of ipcs") {
    compare("ipc-list -sJ | perl -nle 'print \"$1 $2 $3 $4\" if "
            "/\"id\":(\\d+).*\"owner\":\"(\\w+)\".*\"mode\":\"(\\d+)\".*\"semaphores\":(\\d+)/'",
            "ipcs -s | awk '/^0x/ { print $2, $3, $4, $5 }'");
    compare("ipc-list -mJ | perl -nle 'print \"$1 $2 $3 $4 $5\" if "
            "/\"id\":(\\d+).*\"owner\":\"(\\w+)\".*\"mode\":\"(\\d+)\".*\"size\":(\\d+),"
            "\"attached\":(\\d+)/'",
            "ipcs -m | awk '/^0x/ { print $2, $3, $4, $5, $6 }'");
    compare("ipc-list --msg -J | perl -nle 'print \"$1 $2 $3 $4 $5\" if "
            "/\"id\":(\\d+).*\"owner\":\"(\\w+)\".*\"mode\":\"(\\d+)\",\"messages\":(\\d+),"
            "\"bytes\":(\\d+)/'",
            "ipcs -q | awk '/^0x/ { print $2, $3, $4, $6, $5 }'");
}

// Leave out semmns: there, lsipc prints the number of sets.
TEST_CASE("ipc-list --limits prints the numbers of lsipc") {
    compare("ipc-list -lJ | perl -nle 'print \"$1 $2 $3\" if "
            "/\"limit\":\"((?:sem|shm|msg)mni)\".*\"used\":(\\d+),\"max\":(\\d+)/' | sort",
            "lsipc -b --noheadings -o RESOURCE,USED,LIMIT | awk 'tolower($1) ~ "
            "/^(sem|shm|msg)mni$/ { print tolower($1), $2, $3 }' | sort");
}

TEST_CASE("ipc-remove leaves what ipcrm leaves") {
    const std::string look = "; ipcs -s | grep -c ^0x; ipcs -m | grep -c ^0x; ipcs -q | grep -c "
                             "^0x; :";
    compare("ipc-remove -y sem:1 shm:0 && ipc-remove -y --msg --all-mine" + look,
            "ipcrm -s 1 -m 0 --all=msg" + look);
    compare("ipc-remove -y @build" + look, "ipcrm -s 3" + look);
}
