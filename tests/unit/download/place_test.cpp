#include "download/place.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <filesystem>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("a name leads to nothing, a file, or something special") {
    const Scenario scenario;
    using Kind = download::ExistingFile::Kind;
    CHECK(download::look_at("doc").kind == Kind::none);
    scenario.write_file("doc", "abc");
    CHECK(download::look_at("doc").kind == Kind::regular);
    CHECK(download::look_at("doc").size == 3);
    CHECK(download::look_at("doc").modified > 1'700'000'000);
    CHECK(download::look_at("/dev/null").kind == Kind::special);
    CHECK(download::look_at(".").kind == Kind::special);
    CHECK_THROWS_AS((void)download::look_at("doc/x"), SysError);
    CHECK(download::is_null_device("/dev/null"));
    CHECK_FALSE(download::is_null_device("/dev/zero"));
    CHECK_FALSE(download::is_null_device("doc"));
}

TEST_CASE("two names of one file have one identity") {
    const Scenario scenario;
    using download::identity_of;
    std::filesystem::create_directory("dir");
    scenario.write_file("doc", "abc");
    std::filesystem::create_symlink("doc", "link");
    std::filesystem::create_hard_link("doc", "other");
    std::filesystem::create_symlink("dir/none", "dangling");
    const auto doc = identity_of("doc");
    CHECK(identity_of("./doc") == doc);
    CHECK(identity_of("dir/../doc") == doc);
    CHECK(identity_of("link") == doc);
    CHECK(identity_of("other") == doc);
    CHECK(identity_of("dangling") == identity_of("./dir/none"));
    CHECK(identity_of("none") != identity_of("dir/none"));
    CHECK(identity_of("/dev/null").empty());
    CHECK(identity_of("/dev/stdout").empty());
}

TEST_CASE("some names are descriptors") {
    const Scenario scenario;
    using download::descriptor_named;
    CHECK(descriptor_named("/dev/stdout") == 1);
    CHECK(descriptor_named("/dev/stderr") == 2);
    CHECK(descriptor_named("/dev/fd/17") == 17);
    CHECK(descriptor_named("/proc/self/fd/5") == 5);
    std::filesystem::create_symlink("/dev/fd/7", "link");
    CHECK(descriptor_named("link") == 7);
    CHECK_FALSE(descriptor_named("/dev/fd/x"));
    CHECK_FALSE(descriptor_named("/dev/null"));
    CHECK_FALSE(descriptor_named("stdout"));
}
