#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/process_info.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <set>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// Each document is different: "1", "2", ...
const std::string numbers = "n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); "
                            "echo $n >count; echo $n";

Process serve(Scenario& scenario, Words options) {
    options.insert(options.begin(), "fifosig");
    auto server = scenario.start(options);
    REQUIRE(server.error_line().starts_with("fifosig: serving "));
    return server;
}

std::string read_once(Scenario& scenario, const std::string& path = "sig") {
    const auto result = scenario.run({"cat", path});
    CHECK(result.status == 0);
    return result.out;
}

bool is_fifo(const std::string& path) {
    return std::filesystem::is_fifo(std::filesystem::symlink_status(path));
}

// The names in the working directory, with a space after each.
std::string listing() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{"."})
        names.insert(entry.path().filename().string());
    std::string text;
    for (const auto& name : names)
        text += name + ' ';
    return text;
}

std::string stop(Process& server, int signal = SIGTERM) {
    server.kill(signal);
    const auto result = server.wait();
    CHECK(result.status == 128 + signal);
    return result.err;
}

// Waits until "sig" is another FIFO than READER. A reader that comes now does not share one with
// READER.
void wait_until_exchanged(const Fd& reader) {
    struct stat opened {};
    REQUIRE(::fstat(reader.get(), &opened) == 0);
    REQUIRE(eventually([&] {
        struct stat now {};
        return ::stat("sig", &now) == 0 && now.st_ino != opened.st_ino;
    }));
}

void wait_until_blocked_in_open(const Process& process) {
    REQUIRE(eventually([&] { return is_blocked_in(process.pid(), SYS_openat); }));
}

} // namespace

TEST_CASE("each reader gets the text as one line") {
    Scenario scenario;
    auto server = serve(scenario, {"-v", "-s", "hello there", "sig"});
    CHECK(read_once(scenario) == "hello there\n");
    CHECK(read_once(scenario) == "hello there\n");
    CHECK(server.error_line() == "fifosig: read 1: 12 bytes");
    CHECK(server.error_line() == "fifosig: read 2: 12 bytes");
    stop(server);
    CHECK(listing().empty());
}

TEST_CASE("the default is the user's address and a line") {
    Scenario scenario;
    auto server = scenario.start_shell("HOME=$PWD exec fifosig");
    CHECK(server.error_line() == "fifosig: serving " + scenario.path(".signature"));
    const auto text = read_once(scenario, ".signature");
    const auto first_line = text.substr(0, text.find('\n'));
    CHECK(first_line.find('@') != std::string::npos);
    CHECK(first_line.ends_with(")"));
    CHECK(text.size() > first_line.size() + 1);
    stop(server);
    CHECK(listing().empty());
}

TEST_CASE("the default has a saying of fortune when it is installed") {
    Scenario scenario;
    scenario.write_file("fortune", "#!/bin/sh\necho \"fortune $1\"\n");
    std::filesystem::permissions("fortune", std::filesystem::perms::owner_all);
    auto server = scenario.start_shell("PATH=$PWD:$PATH exec fifosig sig");
    (void)server.error_line();
    CHECK(read_once(scenario).ends_with(")\nfortune -s\n"));
    stop(server);
}

TEST_CASE("a fortune that fails leaves the built-in line") {
    Scenario scenario;
    scenario.write_file("fortune", "#!/bin/sh\nexit 1\n");
    std::filesystem::permissions("fortune", std::filesystem::perms::owner_all);
    auto server = scenario.start_shell("PATH=$PWD:$PATH exec fifosig sig");
    (void)server.error_line();
    CHECK(read_once(scenario).ends_with(", just now.\n"));
    stop(server);
}

TEST_CASE("a file is read anew for each document") {
    Scenario scenario;
    scenario.write_file("text", "one\n");
    auto server = serve(scenario, {"-F", "text", "sig"});
    CHECK(read_once(scenario) == "one\n");
    scenario.write_file("text", "two");
    CHECK(read_once(scenario) == "two");
    std::filesystem::remove("text");
    CHECK(read_once(scenario).empty());
    CHECK(server.error_line() == "fifosig: a reader got an empty document: cannot open text: No "
                                 "such file or directory");
    scenario.write_file("text", "three");
    CHECK(read_once(scenario) == "three");
    stop(server);
    CHECK(listing() == "text ");
}

TEST_CASE("a command runs once for each document, ahead of its reader") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "sh", "-c", numbers});
    CHECK(eventually([&] { return scenario.exists("count"); }));
    CHECK(read_once(scenario) == "1\n");
    CHECK(read_once(scenario) == "2\n");
    CHECK(read_once(scenario) == "3\n");
    stop(server);
    CHECK(listing() == "count ");
}

TEST_CASE("a command needs no --") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "echo", "-n", "x"});
    CHECK(read_once(scenario) == "x");
    stop(server);
}

TEST_CASE("readers that come at once get a document each") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "sh", "-c", numbers});
    constexpr int readers = 8;
    const auto result = scenario.shell("for i in 1 2 3 4 5 6 7 8; do cat sig >out$i & done; wait");
    CHECK(result.status == 0);
    std::set<std::string> documents;
    int empty = 0;
    for (int reader = 1; reader <= readers; ++reader) {
        const auto document = scenario.read_file(fmt::format("out{}", reader));
        if (document.empty()) {
            ++empty; // one in a thousand may be empty, none is doubled or torn
            continue;
        }
        CHECK(std::count(document.begin(), document.end(), '\n') == 1);
        CHECK(documents.insert(document).second);
    }
    CHECK(empty <= 1);
    stop(server);
}

TEST_CASE("readers that were blocked before there was a server are served, all of them") {
    Scenario scenario;
    REQUIRE(::mkfifo("sig", 0600) == 0);
    std::vector<Process> readers;
    for (int count = 0; count < 3; ++count)
        readers.push_back(scenario.start({"cat", "sig"}));
    for (const auto& reader : readers)
        wait_until_blocked_in_open(reader);
    auto server = serve(scenario, {"sig", "--", "sh", "-c", numbers});
    std::set<std::string> documents;
    for (auto& reader : readers)
        documents.insert(reader.wait().out);
    CHECK(documents == std::set<std::string>{"1\n", "2\n", "3\n"});
    CHECK(read_once(scenario) == "4\n");
    stop(server);
    CHECK(listing() == "count ");
}

TEST_CASE("a reader that leaves early costs nobody a document") {
    Scenario scenario;
    auto server = serve(scenario, {"-v", "sig", "--", "sh", "-c", numbers});
    for (int count = 0; count < 20; ++count)
        const Fd early = open_file("sig", O_RDONLY);
    // A document can be given back after the next one was taken.
    std::set<std::string> documents;
    for (int count = 0; count < 3; ++count)
        documents.insert(read_once(scenario));
    CHECK(documents.size() == 3);
    CHECK(documents.count("") == 0);
    stop(server);
}

TEST_CASE("a reader that does not read delays nobody") {
    Scenario scenario;
    auto server = serve(scenario, {"-s", "x", "sig"});
    const Fd idle = open_file("sig", O_RDONLY);
    wait_until_exchanged(idle);
    for (int count = 0; count < 10; ++count)
        CHECK(read_once(scenario) == "x\n");
    CHECK(read_to_end(idle.get(), 100, "sig") == "x\n");
    stop(server);
    CHECK(listing().empty());
}

TEST_CASE("many readers that do not leave are given up, and other readers do not notice") {
    Scenario scenario;
    auto server = scenario.start_shell("ulimit -n 40; exec fifosig -s x sig");
    (void)server.error_line();
    std::vector<Fd> idle;
    for (int count = 0; count < 12; ++count) {
        idle.push_back(open_file("sig", O_RDONLY));
        wait_until_exchanged(idle.back());
    }
    for (int count = 0; count < 10; ++count)
        CHECK(read_once(scenario) == "x\n");
    stop(server);
    CHECK(listing().empty());
}

TEST_CASE("a big document reaches a lone reader whole") {
    Scenario scenario;
    scenario.write_file("text", std::string(1024UL * 1024, 'x'));
    auto server = serve(scenario, {"-F", "text", "sig"});
    CHECK(read_once(scenario).size() == 1024UL * 1024);
    // The reader may read in small pieces.
    CHECK(scenario.run({"dd", "if=sig", "of=copy", "bs=1000", "status=none"}).status == 0);
    CHECK(std::filesystem::file_size("copy") == 1024UL * 1024);
    scenario.write_file("text", std::string(1024UL * 1024 + 1, 'x'));
    CHECK(read_once(scenario).empty());
    CHECK(server.error_line().ends_with("cannot read text: more than 1048576 bytes"));
    stop(server);
}

TEST_CASE("-n COUNT ends the server after COUNT documents") {
    Scenario scenario;
    auto server = serve(scenario, {"-n", "2", "sig", "--", "sh", "-c", numbers});
    CHECK(read_once(scenario) == "1\n");
    CHECK(read_once(scenario) == "2\n");
    CHECK(server.wait().status == 0);
    CHECK(listing() == "count ");
    CHECK(scenario.read_file("count") == "2\n"); // the command did not run a third time
}

TEST_CASE("-n counts only documents that were read") {
    Scenario scenario;
    auto server = serve(scenario, {"-n", "1", "-s", "x", "sig"});
    { const Fd early = open_file("sig", O_RDONLY); }
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.wait().status == 0);
}

TEST_CASE("-J tells each read on one line") {
    Scenario scenario;
    auto server = serve(scenario, {"-J", "-n", "2", "sig", "--", "sh", "-c",
                                   "test ! -e stop && : >stop && echo hello"});
    CHECK(read_once(scenario) == "hello\n");
    CHECK(server.line() == R"({"v":1,"path":"sig","read":1,"bytes":6,"error":null})");
    CHECK(read_once(scenario).empty());
    CHECK(server.line() == R"({"v":1,"path":"sig","read":2,"bytes":0,"error":"sh: exit 1"})");
    CHECK(server.wait().status == 1);
}

TEST_CASE("-q keeps silent, and -m sets the mode regardless of the umask") {
    Scenario scenario;
    auto server = scenario.start_shell("umask 077; exec fifosig -q -m 644 -s x sig");
    REQUIRE(eventually([] { return is_fifo("sig"); }));
    struct stat status {};
    REQUIRE(::stat("sig", &status) == 0);
    CHECK((status.st_mode & 07777) == 0644);
    CHECK(read_once(scenario) == "x\n");
    REQUIRE(::stat("sig", &status) == 0);
    CHECK((status.st_mode & 07777) == 0644);
    CHECK(stop(server).empty());
}

TEST_CASE("only the owner may read by default") {
    Scenario scenario;
    auto server = serve(scenario, {"-s", "x", "sig"});
    struct stat status {};
    REQUIRE(::stat("sig", &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    stop(server);
}

TEST_CASE("a command that fails gives an empty document, and goes on") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "sh", "-c", numbers + "; test $n != 2"});
    CHECK(read_once(scenario) == "1\n");
    CHECK(read_once(scenario).empty());
    CHECK(server.error_line() == "fifosig: a reader got an empty document: sh: exit 1");
    CHECK(read_once(scenario) == "3\n");
    stop(server);
}

TEST_CASE("a command that hangs is killed with all processes that it started") {
    Scenario scenario;
    auto server = serve(scenario, {"-t", "100ms", "sig", "--", "sh", "-c",
                                   "sleep 1000 & echo $! >pid; echo half; wait"});
    std::string pid_text; // on a slow machine, it may be killed before it says it
    REQUIRE(eventually([&] {
        CHECK(read_once(scenario).empty());
        CHECK(server.error_line() ==
              "fifosig: a reader got an empty document: sh: not done after 0.1 s");
        if (scenario.exists("pid")) pid_text = scenario.read_file("pid");
        return !pid_text.empty();
    }));
    stop(server);
    const auto pid = std::stoi(pid_text);
    CHECK(eventually([&] { return !find_process(pid); })); // a zombie would be the test's
}

TEST_CASE("a command that prints without end is stopped") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "yes"});
    CHECK(read_once(scenario).empty());
    CHECK(server.error_line() ==
          "fifosig: a reader got an empty document: yes: more than 1048576 bytes");
    stop(server);
}

TEST_CASE("a process that a command leaves behind delays nobody") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "sh", "-c", "sleep 1000 & echo done"});
    CHECK(read_once(scenario) == "done\n");
    stop(server);
}

TEST_CASE("a command that cannot run is told before anything is touched") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    scenario.write_file("plain", "");
    const auto missing = scenario.run({"fifosig", "sig", "--", "no-such-command"});
    CHECK(missing.status == 127);
    CHECK(missing.err == "fifosig: cannot execute no-such-command: No such file or directory\n");
    CHECK(scenario.run({"fifosig", "sig", "--", "./plain"}).status == 126);
    std::filesystem::permissions("plain", std::filesystem::perms::owner_all);
    scenario.write_file("plain", "\x7f"
                                 "ELF, but not really");
    CHECK(scenario.run({"fifosig", "sig", "--", "./plain"}).status == 126);
    CHECK(scenario.run({"fifosig", "-F", "missing", "sig"}).status == 1);
    CHECK(scenario.run({"fifosig", "-F", ".", "sig"}).status == 1);
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(listing() == "plain sig ");
}

TEST_CASE("a regular file is kept and restored, no matter what ends the server") {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        Scenario scenario;
        scenario.write_file("sig", "mine");
        auto server = serve(scenario, {"-s", "x", "sig"});
        CHECK(is_fifo("sig"));
        CHECK(scenario.read_file("sig.orig") == "mine");
        CHECK(read_once(scenario) == "x\n");
        stop(server, signal);
        CHECK(scenario.read_file("sig") == "mine");
        CHECK(listing() == "sig ");
    }
}

TEST_CASE("a regular file is also restored after -n") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    auto server = serve(scenario, {"-n", "1", "-s", "x", "sig"});
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.wait().status == 0);
    CHECK(listing() == "sig ");
    CHECK(scenario.read_file("sig") == "mine");
}

TEST_CASE("nothing is moved over PATH.orig") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    scenario.write_file("sig.orig", "older");
    const auto result = scenario.run({"fifosig", "-s", "x", "sig"});
    CHECK(result.status == 1);
    CHECK(result.err == "fifosig: cannot serve sig: the file there would have to move to "
                        "sig.orig, and that exists already\n");
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(scenario.read_file("sig.orig") == "older");
    CHECK(listing() == "sig sig.orig ");
}

TEST_CASE("a directory or a link at PATH is left alone") {
    Scenario scenario;
    std::filesystem::create_directory("dir");
    std::filesystem::create_symlink("nowhere", "link");
    const std::vector<std::pair<std::string, std::string>> cases{
        {"dir", "it is a directory"},
        {"dir/", "it is a directory"},
        {"dir/.", "it is a directory"},
        {"link", "it is a symbolic link"},
    };
    for (const auto& [path, reason] : cases) {
        const auto result = scenario.run({"fifosig", "-s", "x", path});
        CHECK(result.status == 1);
        CHECK(result.err == fmt::format("fifosig: cannot serve {}: {}\n", path, reason));
    }
    const auto missing = scenario.run({"fifosig", "-s", "x", "missing/sig"});
    CHECK(missing.status == 1);
    CHECK(missing.err == "fifosig: cannot open missing/: No such file or directory\n");
    CHECK(listing() == "dir link ");
}

TEST_CASE("a second server leaves the first alone and names it") {
    Scenario scenario;
    auto server = serve(scenario, {"-n", "1", "-s", "x", "sig"});
    const auto second = scenario.run({"fifosig", "-s", "y", "sig"});
    CHECK(second.status == 1);
    CHECK(second.err.starts_with(
        fmt::format("fifosig: cannot serve sig: {} (fifosig, ", server.pid())));
    CHECK(second.err.ends_with(") already serves it\n"));
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.wait().status == 0);
}

TEST_CASE("the next server cleans up after one that was killed") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    auto killed = serve(scenario, {"-s", "x", "sig"});
    killed.kill(SIGKILL);
    CHECK(killed.wait().status == 128 + SIGKILL);
    CHECK(scenario.exists("sig.orig"));
    auto server = serve(scenario, {"-s", "y", "sig"});
    CHECK(read_once(scenario) == "y\n");
    stop(server);
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(listing() == "sig ");
}

TEST_CASE("a FIFO that is removed while nobody reads is made again") {
    Scenario scenario;
    auto server = serve(scenario, {"-s", "x", "sig"});
    for (int count = 0; count < 3; ++count) {
        REQUIRE(std::filesystem::remove("sig"));
        REQUIRE(eventually([] { return is_fifo("sig"); }));
        CHECK(read_once(scenario) == "x\n");
    }
    std::filesystem::rename("sig", "elsewhere");
    REQUIRE(eventually([] { return is_fifo("sig"); }));
    CHECK(read_once(scenario) == "x\n");
    stop(server);
    CHECK(listing() == "elsewhere ");
}

TEST_CASE("a regular file in the FIFO's place is kept and restored") {
    Scenario scenario;
    auto server = serve(scenario, {"-s", "x", "sig"});
    scenario.write_file("new", "edited");
    std::filesystem::rename("new", "sig"); // as an editor does
    REQUIRE(eventually([&] { return scenario.exists("sig.orig") && is_fifo("sig"); }));
    CHECK(read_once(scenario) == "x\n");
    SUBCASE("at the end") {
        stop(server);
        CHECK(scenario.read_file("sig") == "edited");
        CHECK(listing() == "sig ");
    }
    SUBCASE("but does not replace one that was kept before") {
        scenario.write_file("new", "again");
        std::filesystem::rename("new", "sig");
        const auto result = server.wait();
        CHECK(result.status == 1);
        CHECK(result.err.find("sig.orig") != std::string::npos);
        CHECK(scenario.read_file("sig") == "again");
        CHECK(scenario.read_file("sig.orig") == "edited");
        CHECK(listing() == "sig sig.orig ");
    }
}

TEST_CASE("another's FIFO, directory or link in its place ends the server") {
    Scenario scenario;
    std::string expected = "somebody put another FIFO there";
    auto server = serve(scenario, {"-s", "x", "sig"});
    SUBCASE("a FIFO") {
        REQUIRE(::mkfifo("new", 0600) == 0);
        std::filesystem::rename("new", "sig");
    }
    SUBCASE("a link") {
        std::filesystem::create_symlink("target", "new");
        std::filesystem::rename("new", "sig");
        expected = "it is a symbolic link";
    }
    const auto result = server.wait();
    CHECK(result.status == 1);
    CHECK(result.err == fmt::format("fifosig: cannot serve sig: {}\n", expected));
    CHECK(listing() == "sig ");
}

TEST_CASE("the directory may be moved, and its removal is an error") {
    Scenario scenario;
    std::filesystem::create_directory("dir");
    auto server = serve(scenario, {"-s", "x", "dir/sig"});
    std::filesystem::rename("dir", "moved");
    CHECK(read_once(scenario, "moved/sig") == "x\n");
    CHECK(read_once(scenario, "moved/sig") == "x\n");
    SUBCASE("a directory that was moved") {
        stop(server);
        CHECK(std::filesystem::is_empty("moved"));
    }
    SUBCASE("a directory that was removed") {
        server.kill(SIGSTOP); // else it would make files while we remove them
        std::filesystem::remove_all("moved");
        server.kill(SIGCONT);
        CHECK(server.wait().status == 1);
    }
}

TEST_CASE("a signal at any point leaves nothing behind") {
    Scenario scenario;
    // Each step delays the signal a little more, so that it comes at another place.
    for (int step = 0; step < 60; ++step) {
        scenario.write_file("sig", "mine");
        auto server = scenario.start({"fifosig", "sig", "--", "echo", "x"});
        const auto before = Deadline::after(std::chrono::microseconds{100 * step});
        (void)wait_for(-1, 0, before);
        server.kill(SIGTERM);
        CHECK(server.wait().status == 128 + SIGTERM);
        CHECK(listing() == "sig ");
        CHECK(scenario.read_file("sig") == "mine");
    }
}

TEST_CASE("a signal while a command runs ends both") {
    Scenario scenario;
    auto server = serve(scenario, {"sig", "--", "sh", "-c", "echo $$ >pid; exec sleep 1000"});
    REQUIRE(
        eventually([&] { return scenario.exists("pid") && !scenario.read_file("pid").empty(); }));
    const auto pid = std::stoi(scenario.read_file("pid"));
    auto reader = scenario.start({"cat", "sig"});
    stop(server);
    CHECK(::kill(pid, 0) != 0);
    CHECK(reader.wait().out.empty());
    CHECK(listing() == "pid ");
}

TEST_CASE("ignored signals stay ignored, for nohup") {
    Scenario scenario;
    auto server = scenario.start_shell("trap '' HUP; exec fifosig -s x sig");
    CHECK(server.error_line() == "fifosig: serving sig");
    server.kill(SIGHUP);
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.is_running());
    stop(server);
}

TEST_CASE("closed standard descriptors do no harm") {
    Scenario scenario;
    auto server = scenario.start_shell("exec fifosig -v -n 2 sig echo x "
                                       "<&- >&- 2>&-");
    REQUIRE(eventually([] { return is_fifo("sig"); }));
    CHECK(read_once(scenario) == "x\n");
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.wait().status == 0);
    CHECK(listing().empty());
}

TEST_CASE("output that cannot be written ends it, and PATH is restored") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    auto server = scenario.start_shell("exec fifosig -J -s x sig >/dev/full");
    CHECK(server.error_line() == "fifosig: serving sig");
    CHECK(read_once(scenario) == "x\n");
    const auto result = server.wait();
    CHECK(result.status == 1);
    CHECK(result.err == "fifosig: cannot write standard output: No space left on device\n");
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(listing() == "sig ");
}

TEST_CASE("the limit of a file ends it, and PATH is restored") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    scenario.write_file("out", std::string(64 * 512, '.'));
    auto server = scenario.start_shell("ulimit -f 64; exec fifosig -J -s x sig >>out");
    CHECK(server.error_line() == "fifosig: serving sig");
    CHECK(read_once(scenario) == "x\n");
    CHECK(server.wait().status == 153);
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(listing() == "out sig ");
}

TEST_CASE("a pipeline whose reader leaves ends it, and PATH is restored") {
    Scenario scenario;
    scenario.write_file("sig", "mine");
    auto pipeline = scenario.start_shell("fifosig -J -s x sig | head -n 1");
    CHECK(pipeline.error_line() == "fifosig: serving sig");
    CHECK(read_once(scenario) == "x\n");
    CHECK(eventually([&] {
        if (pipeline.is_running() && is_fifo("sig")) (void)scenario.run({"head", "-c", "1", "sig"});
        return !pipeline.is_running();
    }));
    CHECK(scenario.read_file("sig") == "mine");
    CHECK(listing() == "sig ");
}

TEST_CASE("an invalid command line is status 2") {
    Scenario scenario;
    for (const Words& wrong : std::vector<Words>{
             {"fifosig", "-s", "x", "-F", "y", "sig"},
             {"fifosig", "-s", "x", "sig", "--", "true"},
             {"fifosig", "-s", "x", "-t", "1", "sig"},
             {"fifosig", "-F", "sig", "-t", "1", "sig"},
             {"fifosig", "sig", "--"},
             {"fifosig", "-n", "0", "sig"},
             {"fifosig", "-m", "9", "sig"},
             {"fifosig", "-t", "soon", "sig"},
             {"fifosig", "-t", "0", "sig", "true"},
             {"fifosig", "--no-such-option"},
         })
        CHECK(scenario.run(wrong).status == 2);
    CHECK(listing().empty());
}

TEST_CASE("another user may read when the mode allows it, and cannot serve at a foreign path") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    const auto as_nobody = [](std::string command) {
        return "exec setpriv --reuid 65534 --regid 65534 --clear-groups " + std::move(command);
    };
    // mkdtemp(3) lets only the owner in.
    std::filesystem::permissions("..", std::filesystem::perms{0711});
    std::filesystem::permissions(".", std::filesystem::perms{0755});
    auto server = serve(scenario, {"-m", "644", "-s", "x", "sig"});
    CHECK(scenario.shell(as_nobody("cat sig")).out == "x\n");
    const auto denied = scenario.shell(as_nobody("\"$1\" fifosig -s y other"), {binary()});
    CHECK(denied.status != 0);
    stop(server);
    CHECK(listing().empty());
}

TEST_CASE("another user's FIFO stays when it cannot be served") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    std::filesystem::permissions("..", std::filesystem::perms{0711});
    std::filesystem::permissions(".", std::filesystem::perms{0777});
    std::filesystem::copy_file(binary(), "../ipcbox");
    REQUIRE(::mkfifo("sig", 0600) == 0);
    struct stat before {};
    REQUIRE(::stat("sig", &before) == 0);
    const auto result = scenario.shell("exec setpriv --reuid 65534 --regid 65534 --clear-groups "
                                       "../ipcbox fifosig -s x sig");
    CHECK(result.status == 1);
    CHECK(result.err == "fifosig: cannot serve sig: Permission denied\n");
    struct stat after {};
    REQUIRE(::stat("sig", &after) == 0);
    CHECK(after.st_ino == before.st_ino);
    CHECK(listing() == "sig ");
}

TEST_CASE("an ordinary user can serve") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    std::filesystem::permissions("..", std::filesystem::perms{0711});
    std::filesystem::permissions(".", std::filesystem::perms{0777});
    std::filesystem::copy_file(binary(), "../ipcbox");
    auto server =
        scenario.start_shell("exec setpriv --reuid 65534 --regid 65534 --clear-groups ../ipcbox "
                             "fifosig -m 644 sig -- sh -c 'echo x >>count; cat count'");
    CHECK(server.error_line() == "fifosig: serving sig");
    CHECK(read_once(scenario) == "x\n");
    CHECK(read_once(scenario) == "x\nx\n");
    stop(server);
}
