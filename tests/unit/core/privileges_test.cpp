#include "core/privileges.h"

#include "core/child.h"
#include "core/error.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;

namespace {

constexpr uid_t nobody = 65534;

std::vector<gid_t> our_groups() {
    std::vector<gid_t> groups(256);
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    groups.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return groups;
}

// Runs BODY in a child, which may lose its privileges, and returns its result.
int in_child(const std::function<int()>& body) {
    return fork_child([&] {
               try {
                   return body();
               } catch (const std::exception&) {
                   return 100;
               }
           })
        .wait()
        .as_exit_status();
}

} // namespace

TEST_CASE("a process that becomes another user stays that user") {
    if (::geteuid() != 0) {
        MESSAGE("not root: only the refusal can be tested");
        CHECK_THROWS_WITH_AS(become_user(nobody, nobody, "nobody"),
                             "cannot become user nobody: Operation not permitted", SysError);
        CHECK_THROWS_WITH_AS(become_user(0, 0, ""), "cannot become user 0: Operation not permitted",
                             SysError);
        return;
    }
    CHECK(in_child([] {
              const std::array<gid_t, 3> many{1, 2, 3};
              if (::setgroups(many.size(), many.data()) < 0) return 1;
              become_user(nobody, nobody, "");
              if (::getuid() != nobody || ::geteuid() != nobody) return 2;
              if (::getgid() != nobody || ::getegid() != nobody) return 3;
              if (our_groups() != std::vector<gid_t>{nobody}) return 4;
              if (::setuid(0) == 0 || ::setgid(0) == 0) return 5;
              return ::access("/etc/shadow", R_OK) == 0 ? 6 : 0;
          }) == 0);
    // From that user, there is no way to another one.
    CHECK(in_child([] {
              become_user(nobody, nobody, "");
              try {
                  become_user(1, 1, "");
              } catch (const SysError& error) {
                  return error.error() == EPERM ? 0 : 1;
              }
              return 2;
          }) == 0);
}

TEST_CASE("a user has the groups of /etc/group") {
    if (::geteuid() != 0) {
        MESSAGE("not root: nobody can be become");
        return;
    }
    CHECK(in_child([] {
              become_user(nobody, 4242, "root");
              auto expected = groups_of("root");
              expected.push_back(4242);
              auto groups = our_groups();
              std::ranges::sort(expected);
              std::ranges::sort(groups);
              return groups == expected ? 0 : 1;
          }) == 0);
}

TEST_CASE("a process that could regain root is detected") {
    if (::geteuid() != 0) {
        MESSAGE("not root: nobody can be become");
        return;
    }
    // With this bit, a change of the user takes no capability away (capabilities(7)).
    constexpr int no_setuid_fixup = 1 << 2;
    CHECK(in_child([] {
              if (::prctl(PR_SET_SECUREBITS, no_setuid_fixup, 0, 0, 0) < 0) return 1;
              try {
                  become_user(nobody, nobody, "");
              } catch (const Error& error) {
                  return std::string_view{error.what()} == "cannot become user 65534: the old "
                                                           "privileges could be regained"
                             ? 0
                             : 2;
              }
              return 3;
          }) == 0);
}
