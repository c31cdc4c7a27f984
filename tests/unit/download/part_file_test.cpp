#include "download/part_file.h"

#include "core/error.h"
#include "core/io.h"
#include "harness/scenario.h"
#include "http/failure.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::http;
using namespace ipcbox::test;

namespace {

constexpr auto url = "http://host/doc";
constexpr auto take_up = download::PartFile::Leftover::take_up;
constexpr auto discard = download::PartFile::Leftover::discard;

void write(download::PartFile& part, std::string_view bytes) {
    write_all(part.fd(), bytes, part.part_name());
    part.wrote(bytes.size());
}

// What a transfer of VERSION leaves that is cut off behind BYTES.
void cut_off(const std::string& name, std::string_view version, std::string_view bytes) {
    download::PartFile part{name, url, discard};
    part.restart(version);
    write(part, bytes);
}

std::ptrdiff_t files() {
    return std::distance(std::filesystem::directory_iterator{"."}, {});
}

struct Leftover {
    std::uint64_t size;
    std::string version;

    friend bool operator==(const Leftover&, const Leftover&) = default;
};
Leftover taken_up(const std::string& name, const char* from = url) {
    const download::PartFile part{name, from, take_up};
    return {part.size(), part.version()};
}

} // namespace

TEST_CASE("a document appears when it is whole") {
    const Scenario scenario;
    const auto before = files();
    {
        download::PartFile part{"doc", url, take_up};
        CHECK(part.size() == 0);
        CHECK(part.version().empty());
        CHECK(part.part_name() == "doc.part");
        part.restart("\"v1\"");
        write(part, "whole");
        CHECK_FALSE(scenario.exists("doc"));
        CHECK(scenario.exists("doc.part.version"));
        part.finish();
    }
    CHECK(scenario.read_file("doc") == "whole");
    CHECK(files() == before + 1);
    {
        download::PartFile part{"doc", url, take_up};
        part.restart("\"v2\"");
        part.finish();
    }
    CHECK(scenario.read_file("doc").empty());
    CHECK(files() == before + 1);
}

TEST_CASE("nothing is left of what is not wanted, or has nothing") {
    const Scenario scenario;
    const auto before = files();
    {
        download::PartFile part{"doc", url, take_up};
        part.restart("\"v1\"");
    }
    CHECK(files() == before);
    {
        download::PartFile part{"doc", url, take_up};
        part.restart("\"v1\"");
        write(part, "bad");
        part.discard();
        CHECK(files() == before);
    }
    CHECK(files() == before);
}

TEST_CASE("what was cut off is taken up") {
    const Scenario scenario;
    cut_off("doc", "\"v1\"", "who");
    {
        download::PartFile part{"doc", url, take_up};
        CHECK(part.size() == 3);
        CHECK(part.version() == "\"v1\"");
        write(part, "le");
    }
    download::PartFile part{"doc", url, take_up};
    CHECK(part.size() == 5);
    part.finish();
    CHECK(scenario.read_file("doc") == "whole");
    CHECK_FALSE(scenario.exists("doc.part.version"));
}

TEST_CASE("what may be another document is not") {
    const Scenario scenario;
    const auto again = [&] { cut_off("doc", "\"v1\"", "who"); };
    const Leftover none{0, ""};
    again();
    CHECK(taken_up("doc", "http://host/do") == none);
    CHECK_FALSE(scenario.exists("doc.part"));
    again();
    CHECK(taken_up("doc", "http://host/doc2") == none);
    cut_off("doc", "", "who");
    CHECK(scenario.exists("doc.part"));
    CHECK_FALSE(scenario.exists("doc.part.version"));
    CHECK(taken_up("doc") == none);
    for (const std::string version :
         {"", "\n", "http://host/doc", "http://host/doc\n", "http://host/doc\n\n",
          "http://host/doc\nv1", "http://host/doc\nv1\nv2\n"}) {
        scenario.write_file("doc.part", "who");
        scenario.write_file("doc.part.version", version);
        CHECK(taken_up("doc") == none);
    }
    again();
    {
        download::PartFile part{"doc", url, discard};
        CHECK(part.size() == 0);
        write(part, "x");
    }
    CHECK(scenario.read_file("doc.part") == "x");
    CHECK_FALSE(scenario.exists("doc.part.version"));
}

TEST_CASE("a version may be as long as a server can make it") {
    const Scenario scenario;
    const std::string version(256UL * 1024, 'v');
    cut_off("doc", version, "who");
    CHECK(taken_up("doc") == Leftover{3, version});
}

TEST_CASE("from its beginning once more") {
    const Scenario scenario;
    cut_off("doc", "\"v1\"", "a long one");
    download::PartFile part{"doc", url, take_up};
    part.restart("\"v2\"");
    CHECK(part.size() == 0);
    CHECK(part.version() == "\"v2\"");
    write(part, "new");
    part.finish();
    CHECK(scenario.read_file("doc") == "new");
}

TEST_CASE("behind what somebody else has begun") {
    const Scenario scenario;
    scenario.write_file("doc", "be");
    {
        download::PartFile part{"doc", url, discard};
        part.continue_existing("\"v1\"");
        CHECK(part.size() == 2);
        write(part, "gun");
        CHECK(scenario.read_file("doc") == "be");
    }
    CHECK(taken_up("doc") == Leftover{5, "\"v1\""});
    download::PartFile{"doc", url, take_up}.finish();
    CHECK(scenario.read_file("doc") == "begun");
}

TEST_CASE("one works at it, and others are told so") {
    const Scenario scenario;
    download::PartFile part{"doc", url, take_up};
    write(part, "x");
    try {
        const download::PartFile other{"doc", url, discard};
        FAIL("two are at work");
    } catch (const TransferError& error) {
        CHECK(error.status() == status::cannot_write);
        CHECK(std::string_view{error.what()} ==
              "cannot write doc: another process is at work on doc.part");
    }
    CHECK(scenario.read_file("doc.part") == "x");
}

TEST_CASE("links stay, and permissions") {
    const Scenario scenario;
    std::filesystem::create_directory("there");
    scenario.write_file("there/doc", "old");
    REQUIRE(::chmod("there/doc", 0640) == 0);
    std::filesystem::create_symlink("there/doc", "link");
    std::filesystem::create_symlink("there/none", "dangling");
    std::filesystem::create_symlink("dangling", "far");
    for (const auto* name : {"link", "far"}) {
        download::PartFile part{name, url, take_up};
        write(part, "new");
        part.finish();
        CHECK(std::filesystem::is_symlink(name));
        CHECK(scenario.read_file(name) == "new");
    }
    CHECK(std::filesystem::is_symlink("dangling"));
    CHECK(scenario.read_file("there/none") == "new");
    struct stat replaced {};
    REQUIRE(::stat("there/doc", &replaced) == 0);
    CHECK((replaced.st_mode & 07777U) == 0640);
    CHECK(files() == 4);
}

TEST_CASE("a link in the place of the part is not followed") {
    const Scenario scenario;
    scenario.write_file("precious", "x");
    std::filesystem::create_symlink("precious", "doc.part");
    CHECK_THROWS_AS((download::PartFile{"doc", url, discard}), SysError);
    CHECK(scenario.read_file("precious") == "x");
    CHECK_THROWS_AS((download::PartFile{"no/doc", url, discard}), SysError);
    std::filesystem::create_directory("directory");
    download::PartFile part{"directory", url, discard};
    CHECK_THROWS_AS(part.finish(), SysError);
}

TEST_CASE("what stands there") {
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
}
