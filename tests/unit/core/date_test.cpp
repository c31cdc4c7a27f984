#include "core/date.h"

#include <array>
#include <cctype>
#include <ctime>
#include <doctest/doctest.h>
#include <string>

using namespace ipcbox;

TEST_CASE("a date is the text of ctime(3) without the line feed") {
    for (const std::time_t time : {std::time_t{0}, std::time_t{863'622'046}, std::time(nullptr)}) {
        std::array<char, 64> text{};
        REQUIRE(::ctime_r(&time, text.data()) != nullptr);
        CHECK(date_text(time) + "\n" == text.data());
    }
}
