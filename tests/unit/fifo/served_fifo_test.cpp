#include "fifo/served_fifo.h"

#include "core/io.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <deque>
#include <doctest/doctest.h>
#include <fcntl.h>

using namespace ipcbox;
using namespace ipcbox::test;
using State = fifo::ServedFifo::State;

namespace {

// The documents "1", "2", ... and what became of each.
struct Numbers : fifo::Documents {
    int next = 1;
    int most = 100;
    std::deque<std::string> returned;
    std::vector<std::string> read;

    std::optional<fifo::Document> take() override {
        if (!returned.empty()) {
            fifo::Document document{returned.front(), {}};
            returned.pop_front();
            return document;
        }
        if (next > most) return std::nullopt;
        return fifo::Document{std::to_string(next++), {}};
    }
    void give_back(fifo::Document document) override { returned.push_back(document.text); }
    void delivered(const fifo::Document& document) override { read.push_back(document.text); }
};

// A FIFO for which the test reports the events. The readers are in this process, so none blocks.
struct Fixture {
    Scenario scenario;
    Numbers documents;
    fifo::SchedulingBarrier barrier;
    Fd directory = open_file(".", O_PATH | O_DIRECTORY);
    fifo::ServedFifo served{Fifo::make(directory, "fifo", 0600), State::idle, documents, barrier};

    Fd open_reader() {
        Fd reader = open_file("fifo", O_RDONLY | O_NONBLOCK);
        served.opened();
        return reader;
    }
    void leave(Fd& reader) {
        reader = Fd{};
        served.closed();
    }
    // Steps until the barrier that the FIFO may have asked for is over.
    void step() {
        served.step();
        while (!barrier.passed(barrier.next() - 1)) { // one is under way
            REQUIRE(wait_for(barrier.fd(), POLLIN, Deadline::after(std::chrono::seconds{30})));
            barrier.notice();
            served.step();
        }
    }
    // Reads what has come for READER, and reports one read.
    std::string read(const Fd& reader) {
        std::byte buffer[100];
        if (!wait_for(reader.get(), POLLIN, Deadline::after(Duration::zero()))) return "nothing";
        const auto got = read_some(reader.get(), buffer, "fifo");
        if (got > 0) served.read();
        return {reinterpret_cast<const char*>(buffer), got};
    }
};

} // namespace

TEST_CASE("a lone reader is served in one step") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd reader = fixture.open_reader();
    served.step();
    CHECK(served.state() == State::draining);
    CHECK(fixture.documents.read.empty());
    CHECK(fixture.read(reader) == "1");
    CHECK(fixture.documents.read == std::vector<std::string>{"1"});
    CHECK(fixture.read(reader).empty()); // the end of file
    fixture.leave(reader);
    served.step();
    CHECK(served.is_idle());
}

TEST_CASE("a reader that leaves without reading gives its document back") {
    Fixture fixture;
    auto& served = fixture.served;
    SUBCASE("before it was written") {
        Fd reader = fixture.open_reader();
        fixture.leave(reader);
        served.step();
        CHECK(fixture.documents.next == 1);
    }
    SUBCASE("after it was written") {
        Fd reader = fixture.open_reader();
        served.step();
        fixture.leave(reader);
        served.step();
        CHECK(fixture.documents.returned == std::deque<std::string>{"1"});
    }
    CHECK(served.is_idle());
    CHECK(served.fifo.unread() == 0);
    CHECK(fixture.documents.read.empty());
}

TEST_CASE("a document that was read is not given back, although its reader leaves unnoticed") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd reader = fixture.open_reader();
    served.step();
    SUBCASE("its events come after we have seen that nobody is left") {
        std::byte buffer[100];
        CHECK(read_some(reader.get(), buffer, "fifo") == 1);
        reader = Fd{};
        (void)wait_for(-1, 0, served.deadline());
        served.step();
        served.read();
        served.closed();
        served.step();
        CHECK(served.is_idle());
    }
    SUBCASE("it is given up before it reads") {
        served.abandon();
        CHECK(served.state() == State::spent);
    }
    CHECK(fixture.documents.returned.empty());
    CHECK(fixture.documents.read == std::vector<std::string>{"1"});
}

TEST_CASE(
    "of two readers of one inode, the second gets its document only when the first one's is gone") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd one = fixture.open_reader();
    Fd two = fixture.open_reader();
    fixture.step();
    CHECK(served.state() == State::serving);
    CHECK(served.fifo.unread() == 1);
    CHECK(fixture.read(one) == "1");
    CHECK(fixture.read(two) == "nothing");
    fixture.step();
    CHECK(fixture.read(two) == "2");
    served.step();
    CHECK(served.state() == State::draining);
    CHECK(fixture.read(one).empty());
    CHECK(fixture.read(two).empty());
    fixture.leave(one);
    fixture.leave(two);
    served.step();
    CHECK(served.is_idle());
    CHECK(fixture.documents.read == std::vector<std::string>{"1", "2"});
}

TEST_CASE("when one of two readers leaves, the other is alone") {
    Fixture fixture;
    Fd one = fixture.open_reader();
    Fd two = fixture.open_reader();
    fixture.leave(one);
    fixture.served.step();
    CHECK(fixture.read(two) == "1");
    CHECK(fixture.served.state() == State::draining);
}

TEST_CASE("a reader waits while there is no document") {
    Fixture fixture;
    fixture.documents.most = 0;
    auto& served = fixture.served;
    Fd reader = fixture.open_reader();
    served.step();
    CHECK(served.state() == State::serving);
    CHECK(served.deadline().is_never());
    fixture.documents.most = 1;
    served.step();
    CHECK(fixture.read(reader) == "1");
}

TEST_CASE("an opener whose open was not told is found by asking the pipe") {
    Fixture fixture;
    auto& served = fixture.served;
    // One process opens, closes and opens. The kernel reports this as one event.
    Fd reader = fixture.open_reader();
    served.closed();
    served.step();
    CHECK(fixture.read(reader) == "1");
}

TEST_CASE("a reader that comes while the FIFO drains is not forgotten") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd slow = fixture.open_reader();
    served.step();
    CHECK(fixture.read(slow) == "1");
    Fd late = open_file("fifo", O_RDONLY | O_NONBLOCK);
    REQUIRE(eventually([&] {
        served.step();
        return served.state() == State::probing;
    }));
    served.opened();
    fixture.leave(slow);
    fixture.step(); // the kernel may have let in others too
    CHECK(fixture.read(late) == "2");
}

TEST_CASE("a served reader that has not left gets nothing of a later one's document") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd slow = fixture.open_reader();
    served.step();
    Fd late = open_file("fifo", O_RDONLY | O_NONBLOCK);
    SUBCASE("it had read before the late reader was let in") {
        CHECK(fixture.read(slow) == "1");
        const auto a_while = Deadline::after(std::chrono::milliseconds{50});
        while (!a_while.passed()) {
            served.step();
            (void)wait_for(-1, 0, served.deadline());
        }
        CHECK(served.state() == State::draining);
        CHECK(fixture.read(slow).empty());
        fixture.leave(slow);
        served.step();
        REQUIRE(served.state() == State::probing);
        served.opened();
        fixture.step();
        CHECK(fixture.read(late) == "2");
    }
    SUBCASE("it reads after the late reader was let in, unnoticed") {
        REQUIRE(eventually([&] {
            served.step();
            return served.state() == State::probing;
        }));
        std::byte buffer[100];
        CHECK(read_some(slow.get(), buffer, "fifo") == 1);
        served.opened();
        served.read();
        fixture.step();
        CHECK(fixture.documents.returned.empty());
        CHECK(fixture.documents.read == std::vector<std::string>{"1"});
        CHECK(fixture.read(slow).empty());
        CHECK(fixture.read(late).empty());
    }
}

TEST_CASE("after lost events all readers get the end of file, and none a document twice") {
    Fixture fixture;
    auto& served = fixture.served;
    Fd one = fixture.open_reader();
    Fd two = fixture.open_reader();
    fixture.step();
    served.lost_count();
    CHECK(fixture.documents.returned == std::deque<std::string>{"1"});
    CHECK(fixture.read(one).empty());
    CHECK(fixture.read(two).empty());
    fixture.leave(one);
    fixture.leave(two);
    CHECK(eventually([&] {
        served.step();
        return served.is_idle();
    }));
}

TEST_CASE("a FIFO without a name, or without counted openers, is used once") {
    Fixture fixture;
    auto& served = fixture.served;
    SUBCASE("its name was lost") {
        served.lost_name();
        CHECK(served.fifo.name.empty());
        served.step();
    }
    SUBCASE("its openers are not counted") {
        served.expect_uncounted_openers();
        Fd reader = fixture.open_reader();
        served.opened(); // it may be our own opening
        served.step();
        CHECK(fixture.read(reader) == "1");
        fixture.leave(reader);
        served.step();
    }
    CHECK(served.state() == State::spent);
}

TEST_CASE("a document that does not fit waits for its reader") {
    Fixture fixture;
    auto& served = fixture.served;
    const std::string big(3UL * 1024 * 1024, 'x'); // more than a pipe can hold
    fixture.documents.returned.push_back(big);
    Fd reader = fixture.open_reader();
    served.step();
    CHECK(served.state() == State::serving);
    std::size_t got = 0;
    while (served.state() == State::serving) {
        std::byte buffer[4096];
        got += read_some(reader.get(), buffer, "fifo", Deadline::after(std::chrono::seconds{10}));
        served.read();
        served.step();
    }
    got += read_to_end(reader.get(), big.size(), "fifo").size();
    CHECK(got == big.size());
    CHECK(fixture.documents.read.size() == 1);
}
