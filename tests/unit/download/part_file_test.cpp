#include "download/part_file.h"

#include "core/error.h"
#include "core/io.h"
#include "download/part_name.h"
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
constexpr auto take_up = download::PartFile::Begin::where_it_broke_off;
constexpr auto discard = download::PartFile::Begin::anew;

const std::string part_name = download::part_names("doc", download::tail_for("doc")).part;
const std::string state_name = download::part_names("doc", download::tail_for("doc")).state;

download::DocumentVersion tagged(std::string_view tag) {
    return {std::string{tag}, "", {}};
}

void write(download::PartFile& part, std::string_view bytes) {
    write_all(part.fd(), bytes, part.part_name());
    part.wrote(bytes.size());
}

// Leaves the files that a transfer of VERSION leaves when it is cut off after BYTES.
void cut_off(const std::string& name, std::string_view version, std::string_view bytes) {
    download::PartFile part{name, url, discard};
    part.restart(tagged(version));
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
    return {part.size(), part.version().tag};
}

} // namespace

TEST_CASE("a document appears when it is whole") {
    const Scenario scenario;
    const auto before = files();
    {
        download::PartFile part{"doc", url, take_up};
        CHECK(part.size() == 0);
        CHECK(part.version() == download::DocumentVersion{});
        CHECK(part.part_name() == part_name);
        part.restart(tagged("\"v1\""));
        write(part, "whole");
        CHECK_FALSE(scenario.exists("doc"));
        CHECK(scenario.exists(state_name));
        part.finish();
    }
    CHECK(scenario.read_file("doc") == "whole");
    CHECK(files() == before + 1);
    {
        download::PartFile part{"doc", url, take_up};
        part.restart(tagged("\"v2\""));
        part.finish();
    }
    CHECK(scenario.read_file("doc").empty());
    CHECK(files() == before + 1);
}

TEST_CASE("nothing is left of an unwanted or empty part") {
    const Scenario scenario;
    const auto before = files();
    {
        download::PartFile part{"doc", url, take_up};
        part.restart(tagged("\"v1\""));
    }
    CHECK(files() == before);
    {
        download::PartFile part{"doc", url, take_up};
        part.restart(tagged("\"v1\""));
        write(part, "bad");
        part.discard();
        CHECK(files() == before);
    }
    CHECK(files() == before);
}

TEST_CASE("a document that was cut off is resumed") {
    const Scenario scenario;
    cut_off("doc", "\"v1\"", "who");
    {
        download::PartFile part{"doc", url, take_up};
        CHECK(part.size() == 3);
        CHECK(part.version().tag == "\"v1\"");
        write(part, "le");
    }
    download::PartFile part{"doc", url, take_up};
    CHECK(part.size() == 5);
    part.finish();
    CHECK(scenario.read_file("doc") == "whole");
    CHECK_FALSE(scenario.exists(state_name));
}

TEST_CASE("another document is not resumed") {
    const Scenario scenario;
    const Leftover none{0, ""};
    for (const char* const other : {"http://host/do", "http://host/doc2"}) {
        cut_off("doc", "\"v1\"", "who");
        CHECK(taken_up("doc", other) == none);
        CHECK_FALSE(scenario.exists(part_name));
    }
    cut_off("doc", "", "who");
    CHECK(scenario.exists(part_name));
    CHECK(taken_up("doc") == none);
    const std::string rest = "\nlast-modified \nsize unknown\n";
    for (const std::string& state :
         {std::string{}, std::string{"\n"}, std::string{"http://host/doc"},
          std::string{"http://host/doc\n"}, std::string{"http://host/doc\netag \"v1\"\n"},
          "http://host/doc\netag" + rest, "http://host/doc\nv1" + rest,
          "http://host/do\netag \"v1\"" + rest, "http://host/doc\netag \"v1\"" + rest + "x",
          "http://host/doc\netag \"v1\"" + rest + rest}) {
        CAPTURE(state);
        scenario.write_file(part_name, "who");
        scenario.write_file(state_name, state);
        CHECK(taken_up("doc") == none);
    }
    scenario.write_file(part_name, "who");
    scenario.write_file(state_name, "http://host/doc\netag \"v1\"" + rest);
    CHECK(taken_up("doc") == Leftover{3, "\"v1\""});
    {
        download::PartFile part{"doc", url, discard};
        CHECK(part.size() == 0);
        part.restart({});
        write(part, "x");
    }
    CHECK(scenario.read_file(part_name) == "x");
}

TEST_CASE("a foreign file with the name of a part is left alone") {
    const Scenario scenario;
    SUBCASE("a file without a state") {
        scenario.write_file(part_name, "mine");
    }
    SUBCASE("a directory") {
        std::filesystem::create_directory(part_name);
    }
    SUBCASE("a link") {
        scenario.write_file("elsewhere", "");
        std::filesystem::create_symlink("elsewhere", part_name);
    }
    SUBCASE("a FIFO") {
        REQUIRE(::mkfifo(part_name.c_str(), 0600) == 0);
    }
    const auto before = files();
    {
        download::PartFile part{"doc", url, take_up};
        CHECK(part.part_name() != part_name);
        part.restart(tagged("\"v1\""));
        write(part, "whole");
        part.finish();
    }
    CHECK(scenario.read_file("doc") == "whole");
    CHECK(files() == before + 1);
    if (std::filesystem::is_regular_file(std::filesystem::symlink_status(part_name)))
        CHECK(scenario.read_file(part_name) == "mine");
}

TEST_CASE("other names of a file stay names of it") {
    const Scenario scenario;
    scenario.write_file("doc", "old and longer");
    std::filesystem::create_hard_link("doc", "other");
    download::PartFile part{"doc", url, take_up};
    part.restart({});
    write(part, "new");
    part.finish();
    CHECK(part.is_in_place());
    CHECK(scenario.read_file("other") == "new");
    CHECK_FALSE(scenario.exists(part_name));
    CHECK_FALSE(scenario.exists(state_name));
}

TEST_CASE("the longest name that a file may have has a part") {
    const Scenario scenario;
    const std::string name(255, 'x');
    download::PartFile part{name, url, take_up};
    part.restart(tagged("\"v1\""));
    write(part, "whole");
    part.finish();
    CHECK(scenario.read_file(name) == "whole");
}

TEST_CASE("a version may be as long as a server can make it") {
    const Scenario scenario;
    const std::string version(256UL * 1024, 'v');
    cut_off("doc", version, "who");
    CHECK(taken_up("doc") == Leftover{3, version});
}

TEST_CASE("a document can start again from its beginning") {
    const Scenario scenario;
    cut_off("doc", "\"v1\"", "a long one");
    download::PartFile part{"doc", url, take_up};
    part.restart(tagged("\"v2\""));
    CHECK(part.size() == 0);
    CHECK(part.version().tag == "\"v2\"");
    write(part, "new");
    part.finish();
    CHECK(scenario.read_file("doc") == "new");
}

TEST_CASE("a file that another tool began is continued") {
    const Scenario scenario;
    scenario.write_file("doc", "be");
    {
        download::PartFile part{"doc", url, discard};
        part.continue_existing(tagged("\"v1\""));
        CHECK(part.size() == 2);
        write(part, "gun");
        CHECK(scenario.read_file("doc") == "be");
    }
    CHECK(taken_up("doc") == Leftover{5, "\"v1\""});
    download::PartFile{"doc", url, take_up}.finish();
    CHECK(scenario.read_file("doc") == "begun");
}

TEST_CASE("only one process writes a part, and others fail with that reason") {
    const Scenario scenario;
    download::PartFile part{"doc", url, take_up};
    part.restart({});
    write(part, "x");
    try {
        const download::PartFile other{"doc", url, discard};
        FAIL("two are at work");
    } catch (const TransferError& error) {
        CHECK(error.status() == status::cannot_write);
        CHECK(std::string{error.what()} ==
              "cannot write doc: another process is writing " + part_name);
    }
    CHECK(scenario.read_file(part_name) == "x");
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
    std::filesystem::create_symlink("precious", part_name);
    {
        const download::PartFile part{"doc", url, discard};
        CHECK(part.part_name() != part_name);
    }
    CHECK(scenario.read_file("precious") == "x");
    CHECK_THROWS_AS((download::PartFile{"no/doc", url, discard}), SysError);
    std::filesystem::create_directory("directory");
    download::PartFile part{"directory", url, discard};
    CHECK_THROWS_AS(part.finish(), SysError);
}
