#include "process/insist.h"

#include <cerrno>
#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("a lack that passes is waited for") {
    for (const int error : {ENOMEM, ENFILE}) {
        int attempts = 0;
        const auto look = [&] {
            if (++attempts < 3) throw SysError("read", "a process", error);
            return attempts;
        };
        CHECK(process::insist(look) == 3);
    }
}

TEST_CASE("any other failure is thrown at once") {
    int attempts = 0;
    const auto look = [&]() -> int {
        ++attempts;
        throw SysError("read", "a process", EACCES);
    };
    CHECK_THROWS_AS(process::insist(look), SysError);
    CHECK(attempts == 1);
}
