#include "front/ipc/limits_report.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using front::LimitState;

namespace {

const std::vector<sysv::Limit> limits{{"semmni", "semaphore sets", "kernel.sem", 28, 32},
                                      {"msgmni", "message queues", "kernel.msgmni", 0, 100}};

} // namespace

TEST_CASE("the worst limit decides, from the threshold on") {
    CHECK(front::judge(limits, {}) == LimitState::ok);
    CHECK(front::judge(limits, {87.5, {}}) == LimitState::warning);
    CHECK(front::judge(limits, {87.6, {}}) == LimitState::ok);
    CHECK(front::judge(limits, {50, 87.5}) == LimitState::critical);
    CHECK(front::judge(limits, {{}, 90}) == LimitState::ok);
}

TEST_CASE("text, object and verdict say the same") {
    CHECK(front::verdict_of(limits, {80, 90}) ==
          "IPC WARNING - semmni 28 of 32 (87.5 %) | semmni=28;26;29;0;32 msgmni=0;80;90;0;100");
    CHECK(front::verdict_of(limits, {90, {}}) ==
          "IPC OK - semmni 28 of 32 (87.5 %) | semmni=28;29;;0;32 msgmni=0;90;;0;100");
    CHECK(front::json_of(limits[0], {80, 90}) ==
          R"({"v":1,"limit":"semmni","what":"semaphore sets","used":28,"max":32,"percent":87.5,)"
          R"("state":"WARNING"})"
          "\n");
    CHECK(front::table_of(limits)[0] == "semmni  28 of 32 semaphore sets (87.5 %, kernel.sem)");
}
