#include "core/sanitizer.h"
#include "harness/ipc_namespace.h"
#include "harness/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox::test;

namespace {

// Runs COMMAND until NEEDLE is in its output.
std::string until(std::string_view command, std::string_view needle) {
    return fmt::format("until {} | grep -q '{}'; do :; done; ", command, needle);
}

// One process holds the set 1234, and another one waits for it.
std::string held_and_waited_for(std::string_view mode) {
    return fmt::format("sem-create -m {} 1234 >set; sem-take 1234 cat <hold & exec 3>hold; ",
                       mode) +
           until("ipcs -s -i $(cat set)", "^0  *3 ") + "sem-take 1234 true & " +
           until("ipcs -s -i $(cat set)", "^0  *3  *0  *1 ");
}

} // namespace

TEST_CASE("the name of an object can neither start a row nor control a terminal") {
    Scenario scenario;
    const auto name = scenario.name() + "\x1b[31m\nsem:1";
    REQUIRE(scenario.run({"sem-create", name}).status == 0);
    const auto table = scenario.run({"ipc-list", name});
    CHECK(contains(table.out, scenario.name() + "^[[31m^Jsem:1  "));
    CHECK(std::ranges::count(table.out, '\n') == 2);
    const auto removed = scenario.run({"ipc-remove", "--dry-run", name});
    CHECK(contains(removed.out, scenario.name() + "^[[31m^Jsem:1)"));
    CHECK(scenario.run({"ipc-remove", "--yes", name}).status == 0);
}

TEST_CASE("ipc-list names a set, its tokens, and those that hold and wait") {
    Scenario scenario;
    const auto name = scenario.name();
    REQUIRE(scenario.run({"sem-create", "-n", "2", "-m", "640", name}).status == 0);
    auto first = scenario.start({"sem-take", name, "cat"});
    auto second = scenario.start({"sem-take", name, "cat"});
    // Each holder takes its token first, and then becomes the cat(1) that has it.
    CHECK(eventually([&] {
        const auto list = scenario.run({"ipc-list", name}).out;
        return contains(list, fmt::format("{} (cat, ", first.pid())) &&
               contains(list, fmt::format("{} (cat, ", second.pid()));
    }));
    auto waiter = scenario.start({"sem-take", name, "true"});
    CHECK(eventually([&] {
        return contains(scenario.run({"ipc-list", name}).out, "waited for by");
    }));
    const auto list = scenario.run({"ipc-list", name});
    CHECK(list.status == 0);
    CHECK(list.err.empty());
    CHECK(list.out.starts_with("ID "));
    CHECK(contains(list.out, " " + name + " "));
    CHECK(contains(list.out, " 640 "));
    CHECK(contains(list.out, "2 of 2 taken"));
    CHECK(contains(list.out, fmt::format("{} (cat, ", first.pid())));
    CHECK(contains(list.out, fmt::format("{} (cat, ", second.pid())));
    CHECK(contains(list.out, fmt::format("waited for by {} (sem-take, ", waiter.pid())));
    const auto json = scenario.run({"ipc-list", "-J", name});
    CHECK(contains(json.out, fmt::format(R"("name":"{}")", name)));
    CHECK(contains(json.out, R"("slots":2,"taken":2,"waiting":1,"use":"used")"));
    CHECK(contains(json.out,
                   fmt::format(R"({{"pid":{},"does":"waits","command":"sem-take")", waiter.pid())));
    first.close_input();
    CHECK(first.wait().status == 0);
    CHECK(waiter.wait().status == 0);
}

TEST_CASE("a plain set shows its value, by key, id and handle") {
    Scenario scenario;
    auto id = scenario.run({"sem-create", scenario.key()}).out;
    id.pop_back();
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    for (const auto& name : {scenario.key(), "sem:" + id}) {
        const auto list = scenario.run({"ipc-list", name});
        CHECK(list.status == 0);
        CHECK(contains(list.out, "value 1: taken"));
        CHECK(contains(list.out, "taken by "));
        CHECK(contains(list.out, "(ended)"));
    }
    REQUIRE(scenario.run({"sem-give", scenario.key()}).status == 0);
    CHECK(contains(scenario.run({"ipc-list", scenario.key()}).out, "value 0: free"));
}

TEST_CASE("a name whose key is a stranger's is not found") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    const auto missing = scenario.run({"ipc-list", scenario.key(), scenario.name()});
    CHECK(missing.status == 1);
    CHECK(missing.err ==
          fmt::format("ipc-list: cannot find {}: there is no such object\n", scenario.name()));
    CHECK(contains(missing.out, "value 0: free"));
}

TEST_CASE("all kinds are listed, with the processes that have a segment attached") {
    Scenario scenario;
    if (!is_root()) return;
    const auto all = in_namespace(scenario, "ipcmk -S 3 >/dev/null; ipcmk -Q >/dev/null; "
                                            "shm-write --create --size 8K @state </dev/null; "
                                            "ipc-list; ipc-list --shm @state; ipc-list --msg -J");
    CHECK(all.status == 0);
    CHECK(contains(all.out, "3 semaphores"));
    CHECK(contains(all.out, "0 messages, 0 bytes"));
    CHECK(contains(all.out, "@state"));
    CHECK(contains(all.out, "8K, 0 attached"));
    CHECK(contains(all.out, "nobody, creator gone"));
    CHECK(contains(all.out, R"("messages":0,"bytes":0,)"));
    const auto attached = in_namespace(
        scenario, "mkfifo feed; exec 3<>feed; shm-write --stream @feed <feed & " +
                      until("ipc-list --shm", "attached by") + "ipc-list; kill $!; wait");
    CHECK(contains(attached.out, "@feed"));
    CHECK(contains(attached.out, "1 attached"));
    CHECK(contains(attached.out, "attached by "));
    CHECK(contains(attached.out, "(shm-write, root, "));
}

TEST_CASE("--tree shows a deadlock as such") {
    Scenario scenario;
    if (!is_root()) return;
    const auto tree = in_namespace(
        scenario, "sem-create -n1 @a >/dev/null; sem-create -n1 @b >/dev/null; mkfifo in_a in_b; "
                  "sem-take @a sh -c 'echo >in_a; read line <in_b; sem-take @b true; :' & "
                  "sem-take @b sh -c 'read line <in_a; echo >in_b; sem-take @a true; :' & " +
                      until("ipc-list --tree", "deadlock") + "ipc-list --tree; ipc-list --tree -J");
    CHECK(contains(tree.out, "deadlock: "));
    CHECK(contains(tree.out, "(@a), which "));
    CHECK(contains(tree.out, "(@b), which "));
    CHECK(contains(tree.out, "holds it, and its "));
    CHECK(contains(tree.out, R"("deadlock":[{"waiter":)"));
}

TEST_CASE("without /proc, or in another PID namespace, users are unknown and never nobody") {
    Scenario scenario;
    if (!is_root()) return;
    const std::string make = "mkfifo hold; ipcmk -Q >/dev/null; " + held_and_waited_for("600");
#ifndef IPCBOX_ADDRESS_SANITIZER
    // Only ipc-list has this mount.
    const auto hidden = in_namespace(scenario, make + "mount -t tmpfs none /proc; ipc-list");
    CHECK(hidden.status == 0);
    CHECK(contains(hidden.out, "1 waiting unknown"));
    CHECK(contains(hidden.out, "held by "));
    CHECK_FALSE(contains(hidden.out, "nobody"));
#endif
    const auto elsewhere = in_namespace(scenario, make + "unshare --pid --fork ipc-list");
    CHECK(elsewhere.status == 0);
    CHECK(contains(elsewhere.out, "held by a process of another namespace"));
    CHECK(contains(elsewhere.out, "1 waiting unknown"));
    CHECK_FALSE(contains(elsewhere.out, "nobody"));
}

TEST_CASE("where /proc hides other users' processes, they are unknown") {
    Scenario scenario;
    if (!is_root()) return;
    const auto hidden = in_namespace(
        scenario, "cp \"$(command -v ipc-list)\" ipcbox; chmod 755 . .. ipcbox; mkfifo hold; "
                  "ipcmk -Q >/dev/null; " +
                      held_and_waited_for("666") +
                      "mount -o remount,hidepid=2 /proc; setpriv --reuid=65534 --regid=65534 "
                      "--clear-groups ./ipcbox ipc-list");
    CHECK(hidden.status == 0);
    CHECK(contains(hidden.out, "1 waiting unknown"));
    CHECK_FALSE(contains(hidden.out, "nobody"));
}

TEST_CASE("a set that we may not read is unknown") {
    Scenario scenario;
    if (!is_root()) return;
    const auto list = in_namespace(
        scenario, "cp \"$(command -v ipc-list)\" ipcbox; chmod 755 . .. ipcbox; "
                  "sem-create 1234 >/dev/null; "
                  "setpriv --reuid=65534 --regid=65534 --clear-groups ./ipcbox ipc-list");
    CHECK(list.status == 0);
    CHECK(contains(list.out, "1 semaphore, unknown"));
    CHECK_FALSE(contains(list.out, "nobody"));
}

TEST_CASE("--posix lists memory, semaphores and queues, and --fifo the FIFOs that are open") {
    Scenario scenario;
    if (!is_root()) return;
    const auto posix = in_namespace(
        scenario, "mount -t tmpfs none /dev/shm; echo four >/dev/shm/build; "
                  "printf '\\003%31s' | tr ' ' '\\0' >/dev/shm/sem.lock; mkdir -p /dev/mqueue; "
                  "mount -t mqueue none /dev/mqueue || exit; : >/dev/mqueue/jobs; "
                  "exec 4</dev/mqueue/jobs; mkfifo \"$PWD/feed\"; exec 3<>feed; "
                  "ipc-list --posix --fifo; ipc-list --posix -J");
    CHECK(posix.status == 0);
    CHECK(posix.err.empty());
    CHECK(contains(posix.out, "memory     /build "));
    CHECK(contains(posix.out, "semaphore  /lock "));
    CHECK(contains(posix.out, " value 3 "));
    CHECK(contains(posix.out, "queue      /jobs "));
    CHECK(contains(posix.out, "open in 1 (sh, root, "));
    CHECK(contains(posix.out, scenario.path("feed") + " "));
    CHECK(contains(posix.out, "1 reading, 1 writing"));
    CHECK(contains(posix.out, R"({"v":1,"kind":"posix-semaphore","name":"/lock",)"));
    CHECK(contains(posix.out, R"("kind":"posix-queue","name":"/jobs",)"));
}

TEST_CASE("--posix fails if it cannot list the queues, and lists everything else") {
    Scenario scenario;
    if (!is_root()) return;
    const std::string unmount = "umount /dev/mqueue 2>/dev/null; mount -t tmpfs none /dev/shm; "
                                "echo four >/dev/shm/build; ";
    const std::string without_queues = "printf 'nodev\\ttmpfs\\n' >known; "
                                       "mount --bind known /proc/filesystems || exit; ";
    for (const std::string options : {"", "-q ", "-m "}) {
        const auto unmounted = in_namespace(scenario, unmount + "ipc-list --posix " + options);
        CHECK(unmounted.status == 1);
        CHECK(contains(unmounted.out, "memory     /build "));
        CHECK(unmounted.err ==
              "ipc-list: cannot list POSIX message queues: /dev/mqueue is not mounted\n");
        // A kernel without queues: the list is complete.
        const auto none =
            in_namespace(scenario, unmount + without_queues + "ipc-list --posix " + options);
        CHECK(none.status == 0);
        CHECK(none.err.empty());
    }
}

TEST_CASE("limits are shown, and judged as monitoring wants it") {
    Scenario scenario;
    if (!is_root()) return;
    const std::string small = "echo 250 32000 500 4 >/proc/sys/kernel/sem; "
                              "for key in 1 2 3; do sem-create $key >/dev/null; done; ";
    CHECK(contains(in_namespace(scenario, small + "ipc-list --limits").out,
                   "semmni  3 of 4 semaphore sets (75.0 %, the 4th number of kernel.sem)"));
    const auto warning = in_namespace(scenario, small + "ipc-list -l --warn 75 --crit 90%");
    CHECK(warning.status == 1);
    CHECK(warning.out.starts_with("IPC WARNING - semmni 3 of 4 (75.0 %) | semmni=3;3;4;0;4 "));
    const auto critical = in_namespace(scenario, small + "ipc-list -lJ --warn 50 --crit 75");
    CHECK(critical.status == 2);
    CHECK(contains(critical.out, R"("used":3,"max":4,"percent":75.0,"state":"CRITICAL"})"));
    CHECK(in_namespace(scenario, small + "ipc-list -l --warn 76").status == 0);
}

TEST_CASE("--watch prints each change once in a pipe") {
    Scenario scenario;
    auto watch = scenario.start({"ipc-list", "--watch", "10ms", scenario.key()});
    auto id = scenario.run({"sem-create", scenario.key()}).out;
    id.pop_back();
    CHECK(watch.line().starts_with(fmt::format("+ sem:{} ", id)));
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    const auto taken = watch.line();
    CHECK(taken.starts_with(fmt::format("~ sem:{} ", id)));
    CHECK(contains(taken, "value 1: taken; taken by "));
    REQUIRE(scenario.run({"ipc-remove", "--yes", "--force", scenario.key()}).status == 0);
    CHECK(watch.line() == fmt::format("- sem:{}", id));
}

TEST_CASE("--watch is a live picture on a terminal of 80 by 24, and q leaves it") {
    Scenario scenario;
    const auto name = scenario.name();
    REQUIRE(scenario.run({"sem-create", "-n", "2", name}).status == 0);
    const std::string server = "tmux -S server";
    const auto shows = [&](std::string_view text) {
        return eventually(
            [&] { return contains(scenario.shell(server + " capture-pane -p").out, text); });
    };
    REQUIRE(scenario
                .shell(server + " -f /dev/null new-session -d -x 80 -y 24 sh; " + server +
                           " set -g remain-on-exit on",
                       {})
                .status == 0);
    REQUIRE(scenario
                .shell(server + " send-keys \"PS1='ready> '; clear; ipc-list --watch 20ms $1; "
                                "echo left with \\$?\" Enter",
                       {name})
                .status == 0);
    CHECK(shows("0 of 2 taken"));
    CHECK(shows("q quits"));
    REQUIRE(scenario.run({"sem-take", name}).status == 0);
    CHECK(shows("1 of 2 taken"));
    const auto pane = scenario.shell(server + " capture-pane -p").out;
    for (std::string_view rest{pane}; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        CHECK(line.size() <= 80);
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    REQUIRE(scenario.shell(server + " resize-window -x 40 -y 5").status == 0);
    CHECK(shows("sem:"));
    REQUIRE(scenario.shell(server + " send-keys q").status == 0);
    CHECK(shows("left with 0"));
    (void)scenario.shell(server + " kill-server");
}

TEST_CASE("options that cannot be combined are refused") {
    Scenario scenario;
    for (const Words& words :
         {Words{"ipc-list", "--tree", "--limits"}, Words{"ipc-list", "--warn", "5"},
          Words{"ipc-list", "--limits", "1234"}, Words{"ipc-list", "--limits", "--warn", "101"},
          Words{"ipc-list", "--posix", "1234"}, Words{"ipc-list", "--fifo", "--tree"},
          Words{"ipc-list", "--watch", "0"}, Words{"ipc-list", "sem:x"}}) {
        const auto result = scenario.run(words);
        CHECK(result.status == 2);
        CHECK(result.out.empty());
    }
}
