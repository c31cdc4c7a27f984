// pty-expect talks with programs of other projects. The scripts are those of the manual page, and
// others.
#include "harness/environment.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Result follow(Scenario& scenario, std::string_view script, const Words& command,
              const Words& options = {}) {
    scenario.write_file("script", script);
    Words words{"pty-expect", "-t", "30", "-f", "script"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return scenario.run(words);
}

} // namespace

TEST_CASE("a script writes a file with ed") {
    Scenario scenario;
    const auto result = follow(scenario,
                               "send \"a\\r\"\nsend \"Hello\\r.\\r\"\nsend \"w hello.txt\\r\"\n"
                               "expect /^6\\r\\n/m 20s\nsend \"q\\r\"\n",
                               {"ed"});
    CHECK(result.status == 0);
    CHECK(scenario.read_file("hello.txt") == "Hello\n");
}

TEST_CASE("bash runs the commands typed at its prompt, and its status is ours") {
    Scenario scenario;
    const Variable prompt{"PS1", "ready> "};
    const auto result = follow(scenario,
                               "expect /ready> /\nsend \"echo $((6 * 7))\\r\"\n"
                               "expect /^(\\d+)\\r\\n.*ready> /m\nset answer \\1\n"
                               "send \"echo go; cat\\r\"\nexpect /^go\\r\\n/m\n"
                               "send \"x\\r\"\nexpect /x\\r\\nx\\r\\n/\n"
                               "send \"\\x03\"\nexpect /ready> /\nsend \"exit ${answer}\\r\"\n",
                               {"bash", "--norc", "--noprofile", "-i"}, {"--strip-ansi"});
    CHECK(result.status == 42);
}

TEST_CASE("a script calculates with python3") {
    Scenario scenario;
    const auto result = follow(scenario,
                               "expect />>> /\nsend \"6 * 7\\r\"\n"
                               "expect /^([0-9]+)\\r\\n.*>>> /m\nset answer \\1\n"
                               "send \"exit(${answer})\\r\"\n",
                               {"python3", "-i"}, {"--strip-ansi", "--hide"});
    CHECK(result.status == 42);
}

TEST_CASE("ssh-keygen asks for a passphrase, which is not shown") {
    Scenario scenario;
    const Variable passphrase{"PHRASE", "correct horse"};
    const auto result = follow(scenario,
                               "expect /Enter passphrase.*: $/\nsend-env PHRASE\nsend \"\\r\"\n"
                               "expect /again: /\nsend-env PHRASE\nsend \"\\r\"\n"
                               "expect /identification has been saved/\n",
                               {"ssh-keygen", "-t", "ed25519", "-f", "key"});
    CHECK(result.status == 0);
    CHECK_FALSE(contains(result.out + result.err, "correct horse"));
    CHECK(scenario.shell("ssh-keygen -y -P 'correct horse' -f key").status == 0);
}

// These run a script for expect(1) and one for pty-expect on the same program.
TEST_CASE("pty-expect answers a menu as expect does") {
    Scenario scenario;
    scenario.write_file("menu",
                        "printf 'Choice: '; read -r c; echo \"Total: 12$c\"\n"
                        "printf 'Choice: '; read -r c; echo \"got $c\" | tee got; exit 3\n");
    const auto expected = scenario.shell("expect -c '\n"
                                         "spawn -noecho sh menu\n"
                                         "expect \"Choice:\"\nsend \"3\\r\"\n"
                                         "expect -re {Total: (\\d+)}\n"
                                         "set total $expect_out(1,string)\n"
                                         "expect \"Choice:\"\nsend \"pay $total\\r\"\n"
                                         "expect eof\nexit [lindex [wait] 3]'");
    CHECK(expected.status == 3);
    const auto theirs = scenario.read_file("got");
    const auto result = follow(scenario,
                               "expect /Choice:/\nsend \"3\\r\"\nexpect /Total: (\\d+)\\r/\n"
                               "set total \\1\nexpect /Choice:/\nsend \"pay ${total}\\r\"\nwait\n",
                               {"sh", "menu"});
    CHECK(result.status == 3);
    CHECK(scenario.read_file("got") == theirs);
    CHECK(theirs == "got pay 123\n");
}

TEST_CASE("pty-expect answers an installer with pages and questions as expect does") {
    Scenario scenario;
    scenario.write_file("install", "for page in 1 2 3; do printf 'text\\nMore'; read -r x; done\n"
                                   "printf 'accept? '; read -r yes; printf 'directory: '\n"
                                   "read -r at; echo \"$yes $at\" >got; echo complete; exec cat\n");
    const auto expected = scenario.shell("expect -c '\n"
                                         "spawn -noecho sh install\n"
                                         "expect {\n\"More\" { send \"\\r\"; exp_continue }\n"
                                         "\"accept? \" { send \"yes\\r\"; exp_continue }\n"
                                         "\"directory\" { send \"/opt/app\\r\"; exp_continue }\n"
                                         "\"complete\" { exit 0 }\neof { exit 1 } }'");
    CHECK(expected.status == 0);
    const auto theirs = scenario.read_file("got");
    const auto result =
        follow(scenario,
               "label next\nexpect {\n/More/ -> page\n/accept\\? / -> accept\n"
               "/directory/ -> directory\n/complete/ -> exit 0\neof -> exit 1\n}\n"
               "label page\nsend \"\\r\"\ngoto next\nlabel accept\nsend \"yes\\r\"\ngoto next\n"
               "label directory\nsend \"/opt/app\\r\"\ngoto next\n",
               {"sh", "install"});
    CHECK(result.status == 0);
    CHECK(scenario.read_file("got") == theirs);
    CHECK(theirs == "yes /opt/app\n");
}

TEST_CASE("passwd changes a password as root") {
    Scenario scenario;
    if (::geteuid() != 0 || scenario.shell("command -v passwd useradd userdel").status != 0) {
        MESSAGE("only root can have a user to try it with");
        return;
    }
    const auto user = "expect" + std::to_string(::getpid());
    if (scenario.shell("useradd -M \"$1\"", {user}).status != 0) {
        MESSAGE("no user can be added here");
        return;
    }
    scenario.write_file("secret", "correct-Horse-7\n");
    const auto result =
        follow(scenario,
               "expect /password:/\nsend-file secret\nsend \"\\r\"\nexpect /password:/\n"
               "send-file secret\nsend \"\\r\"\n"
               "expect { /updated successfully/ -> continue; eof -> exit 1 }\n",
               {"passwd", user});
    CHECK(result.status == 0);
    CHECK(scenario.shell("grep \"^$1:[$]\" /etc/shadow", {user}).status == 0);
    CHECK(scenario.shell("userdel \"$1\"", {user}).status == 0);
}

TEST_CASE("the scripts of the manual page have no mistakes") {
    Scenario scenario;
    scenario.shell("mandoc -Tascii \"$1\" | sed \"s/.$(printf '\\b')//g\" >page",
                   {std::getenv("IPCBOX_PAGE")});
    // In the page, our scripts follow "becomes" or "This script", and are indented further than the
    // text.
    const auto result = scenario.shell(
        "awk '/becomes|This script,/ { n++; ours = 1; next } /pty-expect -/ { ours = 0 }"
        " /^ ? ? ? ? ?[^ ]/ { if (ours == 2) ours = 0; next }"
        " ours && NF { ours = 2; print >(\"s\" n) }' page; "
        "for s in s?; do pty-expect --check -f $s || exit 1; done; ls s? | wc -l");
    CHECK(result.status == 0);
    CHECK(result.out == "6\n");
}
