#include "server/admission.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>
#include <vector>

using namespace ipcbox;
using server::Admission;
using server::Place;

TEST_CASE("places are taken, and given back automatically") {
    Admission admission{{.places = 2}};
    auto first = admission.take();
    CHECK(first);
    auto second = admission.try_take();
    CHECK(second);
    CHECK_FALSE(admission.try_take());
    first.reset();
    CHECK(admission.try_take());
}

TEST_CASE("a place that moves is one place") {
    Admission admission{{.places = 1}};
    auto taken = admission.take();
    REQUIRE(taken);
    Place place = std::move(*taken);
    taken.reset();
    CHECK(place);
    CHECK_FALSE(admission.try_take());
    Place other;
    other = std::move(place);
    place = Place{};
    CHECK_FALSE(admission.try_take());
    other = Place{};
    CHECK(admission.try_take());
}

TEST_CASE("a loop that waits for a place gets the next one") {
    Admission admission{{.places = 1}};
    auto place = admission.take();
    REQUIRE(place);
    std::optional<Place> next;
    {
        const std::jthread waiting{[&] { next = admission.take(); }};
        place.reset();
    }
    CHECK(next);
    CHECK_FALSE(admission.try_take());
}

TEST_CASE("two places that come free at once wake two loops") {
    Admission admission{{.places = 2}};
    std::vector<Place> places;
    for (int each = 0; each < 2; ++each)
        places.push_back(*admission.take());
    std::atomic<int> entered = 0;
    {
        std::vector<std::jthread> waiting;
        for (int each = 0; each < 2; ++each)
            waiting.emplace_back([&] {
                const auto place = admission.take();
                entered += place ? 1 : 0;
                // Keep the place until both have one.
                while (entered < 2)
                    std::this_thread::yield();
            });
        places.clear();
    }
    CHECK(entered == 2);
}

TEST_CASE("a closed admission gives nobody a place, and lets nobody wait for one") {
    Admission admission{{.places = 1}};
    auto place = admission.take();
    REQUIRE(place);
    std::optional<Place> late;
    {
        const std::jthread waiting{[&] { late = admission.take(); }};
        admission.close();
    }
    CHECK_FALSE(late);
    place.reset();
    CHECK_FALSE(admission.take());
    CHECK_FALSE(admission.try_take());
    CHECK_FALSE(admission.wait_for_pause());
    admission.open();
    CHECK(admission.take());
}

TEST_CASE("the total counts confirmed connections only") {
    Admission admission{{.places = 5, .total = 2}};
    CHECK(admission.take()); // given back at once: the client was refused
    auto first = admission.take();
    auto second = admission.take();
    first->confirm();
    // The second client may still be refused. So the third one waits for that decision.
    CHECK_FALSE(admission.try_take());
    std::optional<Place> third;
    {
        const std::jthread waiting{[&] { third = admission.take(); }};
        second.reset();
    }
    REQUIRE(third);
    third->confirm();
    CHECK(admission.served() == 2);
    CHECK_FALSE(admission.take());
    first.reset();
    CHECK_FALSE(admission.take());
}

TEST_CASE("a loop that waits for a decision ends when the total is served") {
    Admission admission{{.places = 5, .total = 1}};
    auto place = admission.take();
    std::optional<Place> late;
    {
        const std::jthread waiting{[&] { late = admission.take(); }};
        place->confirm();
    }
    CHECK_FALSE(late);
}

TEST_CASE("connections of a former image count in the total") {
    Admission admission{{.places = 5, .total = 3}, 2};
    auto place = admission.take();
    place->confirm();
    CHECK_FALSE(admission.take());
    Admission done{{.places = 5, .total = 2}, 2};
    CHECK_FALSE(done.take());
}

TEST_CASE("the rate holds for any period, and not only for those that begin with it") {
    Admission admission{{.places = 5, .rate = server::Rate{2, std::chrono::milliseconds{20}}}};
    const auto start = Deadline::Clock::now();
    for (int entry = 0; entry < 5; ++entry) {
        auto place = admission.take();
        place->confirm();
    }
    // The third waits until the first is 20 ms old, and the fifth until the third is.
    CHECK(Deadline::Clock::now() - start >= std::chrono::milliseconds{40});
    auto sixth = admission.take();
    sixth->confirm();
    // On a busy machine, the fifth may be 20 ms old already.
    const auto seventh = admission.try_take();
    CHECK((!seventh || Deadline::Clock::now() - start >= std::chrono::milliseconds{60}));
}

TEST_CASE("a place that was not confirmed returns its own entry in the rate") {
    Admission admission{{.places = 5, .rate = server::Rate{2, std::chrono::hours{1}}}};
    auto refused = admission.take();
    auto served = admission.take();
    CHECK_FALSE(admission.try_take());
    served->confirm();
    served.reset();
    CHECK_FALSE(admission.try_take());
    refused.reset();
    auto last = admission.try_take();
    REQUIRE(last);
    last->confirm();
    CHECK_FALSE(admission.try_take());
}

TEST_CASE("a pause ends by time, and not because a place comes free") {
    Admission admission{{.places = 2}};
    auto place = admission.take();
    const auto start = Deadline::Clock::now();
    constexpr auto pause = std::chrono::milliseconds{30};
    admission.pause(pause);
    // On a busy machine, the pause may be over already.
    const auto is_kept = [&] {
        const auto early = admission.try_take();
        return !early || Deadline::Clock::now() - start >= pause;
    };
    CHECK(is_kept());
    place.reset();
    CHECK(is_kept());
    CHECK(admission.take());
    CHECK(Deadline::Clock::now() - start >= pause);
    admission.pause(pause);
    CHECK(admission.wait_for_pause());
    CHECK(Deadline::Clock::now() - start >= 2 * pause);
    admission.pause(std::chrono::hours{1});
    {
        const std::jthread waiting{[&] { CHECK_FALSE(admission.wait_for_pause()); }};
        admission.close();
    }
}

TEST_CASE("each network has its own count, which moves with the place") {
    Admission admission{{}};
    std::vector<Place> places;
    const auto enter = [&](const std::string& network, unsigned max) {
        auto place = admission.take();
        const bool entered = place->enter_network(network, max);
        if (entered) places.push_back(std::move(*place));
        return entered;
    };
    CHECK(enter("one", 2));
    CHECK(enter("one", 2));
    CHECK(!enter("one", 2));
    CHECK(enter("two", 1));
    CHECK(!enter("nobody", 0));
    places.erase(places.begin());
    CHECK(enter("one", 2));
    CHECK(!enter("one", 2));
}

TEST_CASE("a client's connections are numbered") {
    Admission admission{{}};
    auto first = admission.take();
    auto second = admission.take();
    auto other = admission.take();
    CHECK(first->enter_client("one") == 1);
    CHECK(second->enter_client("one") == 2);
    CHECK(other->enter_client("two") == 1);
    first.reset();
    auto third = admission.take();
    CHECK(third->enter_client("one") == 2);
}

TEST_CASE("connections of a former image take places, networks and numbers") {
    Admission admission{{.places = 2}};
    {
        const auto running =
            admission.take_over(Place::left("net", "client"), Admission::Counted::already);
        CHECK(running.network() == "net");
        auto guest = admission.take_over(Place::left("", ""), Admission::Counted::not_yet);
        CHECK_FALSE(admission.try_take());
        guest.confirm();
        CHECK(admission.served() == 1);
    }
    auto place = admission.take();
    CHECK(place->enter_network("net", 1));
    CHECK(place->enter_client("client") == 1);
}
