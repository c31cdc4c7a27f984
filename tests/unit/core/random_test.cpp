#include "core/random.h"

#include <doctest/doctest.h>
#include <set>

using namespace ipcbox;

TEST_CASE("no number is handed out twice") {
    RandomNumbers first;
    RandomNumbers second;
    std::set<std::uint64_t> numbers;
    constexpr std::size_t count = 1000; // more than one call fetches
    for (std::size_t number = 0; number < count; ++number) {
        numbers.insert(first.next());
        numbers.insert(second.next());
    }
    CHECK(numbers.size() == 2 * count);
}
