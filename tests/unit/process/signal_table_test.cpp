#include "process/signal_table.h"

#include "core/signals.h"

#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("every signal of the table has a name that leads back to it") {
    const auto numbers = all_signal_numbers();
    CHECK(numbers.size() == static_cast<std::size_t>(31 + SIGRTMAX - SIGRTMIN + 1));
    for (const int number : numbers) {
        CHECK(signal_number(signal_name(number)) == number);
        for (const auto& other : other_names(number))
            CHECK(signal_number(other) == number);
    }
}

TEST_CASE("the default actions are those of signal(7)") {
    CHECK(default_action(SIGTERM) == "terminate");
    CHECK(default_action(SIGRTMIN) == "terminate");
    CHECK(default_action(SIGQUIT) == "core");
    CHECK(default_action(SIGCHLD) == "ignore");
    CHECK(default_action(SIGTTIN) == "stop");
    CHECK(default_action(SIGCONT) == "continue");
    CHECK(can_be_caught(SIGTERM));
    CHECK_FALSE(can_be_caught(SIGKILL));
    CHECK_FALSE(can_be_caught(SIGSTOP));
}

TEST_CASE("names, numbers and statuses are translated into each other") {
    CHECK(translate_signal("15") == "TERM");
    CHECK(translate_signal("143") == "TERM");
    CHECK(translate_signal("sigterm") == "15");
    CHECK(translate_signal("CLD") == "17");
    CHECK(translate_signal("35") == "RTMIN+1");
    CHECK(translate_signal("RTMIN+1") == "35");
    for (const char* text : {"", "0", "-1", "32", "65", "128", "193", "NONE", "RTMIN+99", "15 "})
        CHECK_FALSE(translate_signal(text));
}
