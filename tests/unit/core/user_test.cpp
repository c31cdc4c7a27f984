#include "core/user.h"

#include "harness/scenario.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

TEST_CASE("users and groups are in the files") {
    const auto root = find_user("root");
    REQUIRE(root);
    CHECK(root->uid == 0);
    CHECK(root->gid == 0);
    CHECK(root->home == "/root");
    CHECK(root->full_name.find(',') == std::string::npos);
    CHECK(find_user(uid_t{0})->name == "root");
    CHECK(find_group("root") == gid_t{0});
    CHECK(user_name(0) == "root");
}

TEST_CASE("threads that look up different users do not mix them up") {
    constexpr int lookups = 2000;
    const auto count_right = [](const char* name, uid_t uid) {
        int right = 0;
        for (int number = 0; number < lookups; ++number)
            if (const auto user = find_user(name); user && user->name == name && user->uid == uid)
                ++right;
        return right;
    };
    int daemons = 0;
    {
        const std::jthread other{
            [&] { daemons = count_right("daemon", find_user("daemon")->uid); }};
        CHECK(count_right("root", 0) == lookups);
    }
    CHECK(daemons == lookups);
}

TEST_CASE("an unknown user has a number") {
    constexpr uid_t unused = 3999999999;
    CHECK_FALSE(find_user(unused));
    CHECK_FALSE(find_user("no such user"));
    CHECK_FALSE(find_user(""));
    CHECK_FALSE(find_group("no such group"));
    CHECK(user_name(unused) == "3999999999");
    CHECK(groups_of("no such user").empty());
    CHECK(groups_of("").empty());
}

// On a machine without other sources, getent(1) reads the same file. awk does so on any machine.
TEST_CASE("a user's groups are those that have them as a member") {
    Scenario scenario;
    const auto found = scenario.shell(
        "awk -F: '$4 != \"\" { split($4, names, \",\"); print names[1]; exit }' /etc/group");
    const auto member = found.out.substr(0, found.out.find('\n'));
    if (member.empty()) {
        MESSAGE("no group has a member here");
        return;
    }
    const auto listed = scenario.shell("awk -F: -v user=\"$1\" 'index(\",\" $4 \",\", \",\" "
                                       "user \",\") { print $3 }' /etc/group",
                                       {member});
    std::string groups;
    for (const auto group : groups_of(member))
        groups += fmt::format("{}\n", group);
    CHECK(groups == listed.out);
    CHECK_FALSE(groups.empty());
}

TEST_CASE("our home is where HOME says") {
    const char* home = std::getenv("HOME");
    const std::string before = home != nullptr ? home : "";
    ::setenv("HOME", "/somewhere", 1);
    CHECK(current_user().home == "/somewhere");
    CHECK(current_user().uid == ::getuid());
    CHECK(current_user().name == user_name(::getuid()));
    ::setenv("HOME", before.c_str(), 1);
}
