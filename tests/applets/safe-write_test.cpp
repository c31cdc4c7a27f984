#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

mode_t mode_of(const Scenario& scenario, const char* name) {
    struct stat status {};
    REQUIRE(::stat(scenario.path(name).c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

} // namespace

TEST_CASE("a file is replaced by all of the input") {
    Scenario scenario;
    scenario.write_file("file", "an old and longer text");
    CHECK(scenario.run({"safe-write", "file"}, "new").status == 0);
    CHECK(scenario.read_file("file") == "new");
    CHECK(scenario.run({"safe-write", "empty"}).status == 0);
    CHECK(scenario.read_file("empty").empty());
    CHECK(scenario.run({"safe-write", "-v", "file"}, "12345").err ==
          "safe-write: 5 bytes written\n");
    CHECK(scenario.count_files() == 2);
}

TEST_CASE("input of every kind is copied whole") {
    Scenario scenario;
    const std::string text(3'000'000, 'x');
    scenario.write_file("in", text);
    CHECK(scenario
              .shell("safe-write from-file <in && cat in | safe-write from-pipe && "
                     "safe-write from-proc </proc/version && safe-write nothing </dev/null")
              .status == 0);
    CHECK(scenario.read_file("from-file") == text);
    CHECK(scenario.read_file("from-pipe") == text);
    CHECK_FALSE(scenario.read_file("from-proc").empty());
    CHECK(scenario.read_file("nothing").empty());
}

TEST_CASE("the permissions stay, or are those of -m") {
    Scenario scenario;
    scenario.write_file("file", "old");
    REQUIRE(::chmod(scenario.path("file").c_str(), 0640) == 0);
    CHECK(scenario.run({"safe-write", "file"}, "new").status == 0);
    CHECK(mode_of(scenario, "file") == 0640);
    CHECK(scenario.run({"safe-write", "-m", "600", "file"}, "new").status == 0);
    CHECK(mode_of(scenario, "file") == 0600);
}

TEST_CASE("a file that is not regular is refused, and nothing is left") {
    Scenario scenario;
    scenario.write_file("target", "old");
    REQUIRE(::symlink("target", scenario.path("link").c_str()) == 0);
    REQUIRE(::mkfifo(scenario.path("fifo").c_str(), 0600) == 0);
    const auto link = scenario.run({"safe-write", "link"}, "new");
    CHECK(link.status == 1);
    CHECK(link.err == "safe-write: cannot replace link: it is a symbolic link\n");
    CHECK(scenario.run({"safe-write", "-a", "link"}, "new").status == 1);
    CHECK(scenario.run({"safe-write", "fifo"}, "new").status == 1);
    CHECK(scenario.run({"safe-write", "-a", "fifo"}, "new").status == 1);
    CHECK(scenario.run({"safe-write", "."}, "new").status == 1);
    CHECK(scenario.run({"safe-write", "none/file"}, "new").status == 1);
    CHECK(scenario.run({"safe-write", "dir/"}, "new").status == 1);
    CHECK(scenario.read_file("target") == "old");
    CHECK(scenario.count_files() == 3);
}

TEST_CASE("a file that exists is kept, or backed up") {
    Scenario scenario;
    scenario.write_file("file", "old");
    const auto kept = scenario.run({"safe-write", "-n", "file"}, "new");
    CHECK(kept.status == 1);
    CHECK(kept.err == "safe-write: cannot write file: File exists\n");
    CHECK(scenario.read_file("file") == "old");
    CHECK(scenario.run({"safe-write", "-n", "other"}, "new").status == 0);
    CHECK(scenario.run({"safe-write", "-b", "file"}, "new").status == 0);
    CHECK(scenario.run({"safe-write", "-b", "file"}, "newer").status == 0);
    CHECK(scenario.read_file("file") == "newer");
    CHECK(scenario.read_file("file~") == "new");
    CHECK(scenario.count_files() == 3);
}

TEST_CASE("too much input changes nothing") {
    Scenario scenario;
    scenario.write_file("file", "old");
    CHECK(scenario.run({"safe-write", "--max-size", "5", "file"}, "12345").status == 0);
    const auto refused = scenario.run({"safe-write", "--max-size", "5", "file"}, "123456");
    CHECK(refused.status == 1);
    CHECK(refused.err == "safe-write: cannot write file: there are more than 5 bytes of input\n");
    CHECK(scenario.run({"safe-write", "-a", "--max-size", "5", "file"}, "123456").status == 1);
    CHECK(scenario.read_file("file") == "12345");
    CHECK(scenario.count_files() == 1);
}

TEST_CASE("--append adds to the file") {
    Scenario scenario;
    CHECK(scenario.run({"safe-write", "-a", "file"}, "one ").status == 0);
    CHECK(scenario.run({"safe-write", "-a", "file"}, "two").status == 0);
    CHECK(scenario.read_file("file") == "one two");
}

TEST_CASE("a signal in the middle leaves the file as it was") {
    Scenario scenario;
    scenario.write_file("file", "old");
    auto writer = scenario.start({"sh", "-c", "echo $$ >pid; exec safe-write file"});
    REQUIRE(eventually([&] { return scenario.count_files() == 3; }));
    SUBCASE("of TERM") {
        writer.kill(SIGTERM);
        CHECK(writer.wait().status == 128 + SIGTERM);
        CHECK(scenario.count_files() == 2);
    }
    SUBCASE("of KILL, which leaves the part file") {
        writer.kill(SIGKILL);
        CHECK(writer.wait().status == 128 + SIGKILL);
        CHECK(scenario.count_files() == 3);
    }
    CHECK(scenario.read_file("file") == "old");
}

TEST_CASE("a file is written with the rights of the user alone") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    REQUIRE(::chmod(scenario.path("").c_str(), 0755) == 0);
    REQUIRE(::chmod(scenario.path("..").c_str(), 0755) == 0);
    const auto refused = scenario.run({"safe-write", "-u", "nobody", "file"}, "new");
    CHECK(refused.status == 1);
    CHECK(refused.err == "safe-write: cannot write file: Permission denied\n");
    REQUIRE(::mkdir(scenario.path("theirs").c_str(), 0700) == 0);
    REQUIRE(::chown(scenario.path("theirs").c_str(), 65534, 65534) == 0);
    CHECK(scenario.run({"safe-write", "-u", "nobody", "theirs/file"}, "new").status == 0);
    struct stat status {};
    REQUIRE(::stat(scenario.path("theirs/file").c_str(), &status) == 0);
    CHECK(status.st_uid == 65534);
    // The directory would let them replace these files.
    REQUIRE(::chmod(scenario.path("theirs/file").c_str(), 0400) == 0);
    scenario.write_file("theirs/root's", "old");
    for (const std::string name : {"theirs/file", "theirs/root's"}) {
        const auto read_only = scenario.run({"safe-write", "-u", "nobody", name}, "newer");
        CHECK(read_only.status == 1);
        CHECK(read_only.err ==
              fmt::format("safe-write: cannot write {}: Permission denied\n", name));
    }
    CHECK(scenario.read_file("theirs/file") == "new");
    CHECK(scenario.read_file("theirs/root's") == "old");
    const auto led = scenario.run({"safe-write", "theirs/file"}, "root's");
    CHECK(led.status == 1);
    CHECK(led.err == "safe-write: cannot write theirs/file: other users can change theirs; become "
                     "its owner with -u nobody, or use --any-directory\n");
    CHECK(scenario.run({"safe-write", "--any-directory", "theirs/file"}, "root's").status == 0);
}

TEST_CASE("a command gets the input and few variables, and cannot regain root") {
    Scenario scenario;
    const auto result =
        scenario.shell("SECRET=1; export SECRET; echo text | safe-write -- sh -c 'cat; env'");
    CHECK(result.out.starts_with("text\n"));
    CHECK(result.out.find("SECRET") == std::string::npos);
    CHECK(result.out.find("HOME=") != std::string::npos);
    CHECK(scenario.shell("SECRET=1 safe-write --keep-env -- sh -c 'echo $SECRET'").out == "1\n");
    CHECK(scenario.run({"safe-write", "--", "sh", "-c", "exit 7"}).status == 7);
    CHECK(scenario.run({"safe-write", "--", "no-such-program"}).status == 127);
    CHECK(scenario.run({"safe-write", "--", "grep", "NoNewPrivs", "/proc/self/status"}).out ==
          "NoNewPrivs:\t1\n");
    if (::geteuid() != 0) return;
    CHECK(scenario
              .run({"safe-write", "-u", "nobody", "--", "sh", "-c",
                    "id -u; id -g; id -G; echo $USER $LOGNAME"})
              .out == "65534\n65534\n65534\nnobody nobody\n");
    CHECK(scenario.run({"safe-write", "-u", "nobody", "--", "setpriv", "--reuid", "0", "true"})
              .status != 0);
}

TEST_CASE("an invalid line is a usage error") {
    Scenario scenario;
    CHECK(scenario.run({"safe-write"}).status == 2);
    CHECK(scenario.run({"safe-write", "-a", "-n", "file"}).status == 2);
    CHECK(scenario.run({"safe-write", "-n", "-b", "file"}).status == 2);
    CHECK(scenario.run({"safe-write", "-m", "600", "--", "cat"}).status == 2);
    CHECK(scenario.run({"safe-write", "--max-size", "1K", "--", "cat"}).status == 2);
    CHECK(scenario.run({"safe-write", "--keep-env", "file"}).status == 2);
}

TEST_CASE("at the limit of a file, the file stays as it was") {
    Scenario scenario;
    scenario.write_file("file", "old\n");
    for (const std::string option : {"", "-a "}) {
        CHECK(scenario.shell("ulimit -f 1; seq 10000 | safe-write " + option + "file 2>/dev/null")
                  .status == 1);
        CHECK(scenario.read_file("file") == "old\n");
        CHECK(scenario.shell("ls -A").out == "file\n");
    }
}

TEST_CASE("a file is not added to itself") {
    Scenario scenario;
    scenario.write_file("file", "old\n");
    const auto result = scenario.shell("safe-write -a file <file");
    CHECK(result.err == "safe-write: cannot write file: it is also the input\n");
    CHECK(result.status == 1);
    CHECK(scenario.shell("safe-write file <file && cat file").out == "old\n");
}
