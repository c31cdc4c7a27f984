#include "dialog/typescript.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using dialog::Typescript;

TEST_CASE("a typescript has the text, and each part's length") {
    const test::Scenario scenario;
    Typescript record{scenario.path("log"), scenario.path("timing")};
    record.add("one\n");
    record.add("two");
    CHECK(scenario.read_file("log") == "Script started by pty-run\none\ntwo");
    const auto timing = scenario.read_file("timing");
    CHECK(timing.find(" 4\n") != std::string::npos);
    CHECK(timing.ends_with(" 3\n"));
}

TEST_CASE("a typescript without files is none") {
    Typescript record{"", ""};
    CHECK_NOTHROW(record.add("text"));
    CHECK_THROWS_AS((Typescript{"/no/such/directory/log", ""}), Error);
}
