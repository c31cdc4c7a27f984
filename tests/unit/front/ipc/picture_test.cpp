#include "front/ipc/picture.h"

#include "harness/sysv_entry.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using test::set_of;

TEST_CASE("a picture fits its terminal, and shows objects with waiters first") {
    front::UserNames users;
    std::vector<sysv::Entry> entries;
    for (int id = 0; id < 10'000; ++id)
        entries.push_back(set_of(id, id == 5000 ? 12 : 0));
    const auto lines = front::picture_of(entries, users, 0, 24, 80);
    REQUIRE(lines.size() == 24);
    CHECK(lines[0].find("10000 objects, 1 used, 12 waiting; 1 to 22 shown") != std::string::npos);
    CHECK(lines[2].find("sem:5000") != std::string::npos);
    CHECK(lines[2].find("|||||+7") != std::string::npos);
    for (const auto& line : lines)
        CHECK(line.size() <= 80 + 8); // 8 more for the colours
    CHECK(front::picture_of(entries, users, 9'999, 24, 80).size() == 3);
    auto held = set_of(1, 0);
    held.users = {{sysv::User::Does::holds, 3626, "3626 (sleep, root, 0s)", {}}};
    CHECK(front::picture_of({held}, users, 0, 24, 80)[2].ends_with("(sleep, root, 0s)"));
    CHECK(front::picture_of({}, users, 0, 24, 80).size() == 2);
    CHECK(front::picture_of(entries, users, 0, 1, 5).size() == 1);
}

TEST_CASE("only lines that differ are drawn again") {
    CHECK(front::redrawing({"a", "b"}, {"a", "b"}).empty());
    CHECK(front::redrawing({"a", "b"}, {"a", "c"}) == "\x1b[2;1Hc\x1b[K");
    CHECK(front::redrawing({"a", "b"}, {"a"}) == "\x1b[2;1H\x1b[K");
    CHECK(front::redrawing({}, {"a"}) == "\x1b[1;1Ha\x1b[K");
}
