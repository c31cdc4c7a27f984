#include "core/error.h"
#include "core/program.h"
#include "dialog/asked_command.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::dialog;

namespace {

using Words = std::vector<std::string>;

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

} // namespace

TEST_CASE("an answer is one line, and the rest comes at the end") {
    const Words words{"sh", "-c", "read a; echo 1 $a; echo more; cat; exit 3"};
    AskedCommand command{"/bin/sh", words};
    std::string answer;
    const auto sink = [&answer](std::string_view bytes) { answer += bytes; };
    CHECK(command.ask("x", sink, soon()));
    CHECK(answer == "1 x\n");
    answer.clear();
    CHECK(command.finish(sink, soon()).as_exit_status() == 3);
    CHECK(answer == "more\n");
}

TEST_CASE("a command that ends its output does not answer") {
    const Words words{"sh", "-c", "read a; printf part"};
    AskedCommand command{"/bin/sh", words};
    std::string answer;
    const auto sink = [&answer](std::string_view bytes) { answer += bytes; };
    CHECK_FALSE(command.ask("x", sink, soon()));
    CHECK(answer == "part");
}

TEST_CASE("a command that does not answer in time is looked at meanwhile") {
    AskedCommand command{find_program("sleep"), Words{"sleep", "1000"}};
    int looks = 0;
    command.watch(std::chrono::milliseconds{1}, [&looks] { ++looks; });
    const auto ignore = [](std::string_view) {};
    // On a busy machine, the whole time can pass at once, before a look.
    for (auto limit = std::chrono::milliseconds{100}; looks == 0 && limit.count() <= 10'000;
         limit *= 10)
        CHECK_THROWS_AS((void)command.ask("x", ignore, Deadline::after(limit)), TimedOut);
    CHECK(looks > 0);
}
