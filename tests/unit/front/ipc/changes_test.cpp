#include "front/ipc/changes.h"

#include "harness/sysv_entry.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using test::set_of;

TEST_CASE("new, changed and removed objects are printed once") {
    front::UserNames users;
    front::IpcChanges changes{front::IpcChanges::Form::text};
    CHECK(changes.since_last({set_of(1, 0)}, users) ==
          std::vector<std::string>{"+ sem:1 (0x1): 0 of 2 taken; nobody\n"});
    CHECK(changes.since_last({set_of(1, 0)}, users).empty());
    auto taken = set_of(1, 0);
    taken.taken = 1;
    CHECK(changes.since_last({taken}, users).front().starts_with("~ sem:1 (0x1): 1 of 2 taken"));
    CHECK(changes.since_last({}, users) == std::vector<std::string>{"- sem:1\n"});
}
