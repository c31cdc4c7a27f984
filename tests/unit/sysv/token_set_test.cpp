#include "sysv/token_set.h"

#include "core/child.h"
#include "core/error.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/program.h"
#include "harness/scenario.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <new>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;
using test::eventually;
using test::is_blocked_in;
using test::Scenario;

namespace {

constexpr auto modes = 0600;

Deadline now() {
    return Deadline::after(0s);
}

Deadline soon() {
    return Deadline::after(30s);
}

// The shapes that a set can have.
struct Shape {
    const char* name;
    bool by_name;
    int slots;
};
constexpr std::array shapes{Shape{"plain", false, 1}, Shape{"counting", false, 3},
                            Shape{"named", true, 1}, Shape{"named and counting", true, 3}};

sysv::Key key_for(const Scenario& scenario, const Shape& shape) {
    return sysv::Key::parse(shape.by_name ? scenario.name() : scenario.key());
}

std::vector<unsigned short> values_of(const sysv::Key& key) {
    return sysv::SemaphoreSet::find(key)->values();
}

// The error's words, "" when there is none.
template <class Function> std::string error_of(Function function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

// Memory that forked children share with us.
template <class Value> class Shared {
  public:
    Shared()
        : value_(new (::mmap(nullptr, sizeof(Value), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Value{}) {}
    ~Shared() { ::munmap(value_, sizeof(Value)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    Value* operator->() const { return value_; }

  private:
    Value* value_;
};

// Returns when nobody else has the writing end any more.
void wait_for_end(Pipe& pipe) {
    pipe.writer = Fd{};
    (void)wait_for(pipe.reader.get(), POLLIN, soon());
}

// A child that took a token and lives on with it.
Child start_holder(const sysv::Key& key, sysv::Lease lease) {
    Pipe pipe = make_pipe();
    Child child = fork_child([&] {
        auto set = sysv::TokenSet::find(key);
        if (!set->take(lease, soon())) return 1;
        pipe.writer = Fd{};
        ::pause();
        return 0;
    });
    wait_for_end(pipe);
    return child;
}

// A child that waits in the kernel for a token.
Child start_waiter(const sysv::Key& key, sysv::Lease lease) {
    Child child = fork_child([&]() -> int {
        try {
            return sysv::TokenSet::find(key)->take(lease, soon()) ? 0 : 1;
        } catch (const Error& error) {
            return std::string_view{error.what()}.find("was removed") != std::string_view::npos ? 7
                                                                                                : 8;
        }
    });
    CHECK(eventually([&] { return is_blocked_in(child.pid(), SYS_semtimedop); }));
    return child;
}

int status_of(Child& child) {
    const auto status = child.wait_until(soon());
    return status ? status->as_exit_status() : -1;
}

void end(Child& child) {
    child.kill(SIGKILL);
    CHECK(status_of(child) == 128 + SIGKILL);
}

// The take and the give of the manual page, by anybody.
bool manual_take(int id, int flags = 0) {
    std::array operations{sembuf{0, 0, static_cast<short>(flags)},
                          sembuf{0, 1, static_cast<short>(flags)}};
    return ::semop(id, operations.data(), operations.size()) == 0;
}
void manual_give(int id) {
    sembuf operation{0, -1, IPC_NOWAIT};
    ::semop(id, &operation, 1);
}

} // namespace

TEST_CASE("many creators make one set") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        for (int round = 0; round < 10; ++round) {
            const Scenario scenario;
            const auto key = key_for(scenario, shape);
            Pipe gate = make_pipe();
            std::vector<Child> creators;
            for (int count = 0; count < 12; ++count)
                creators.push_back(fork_child([&] {
                    wait_for_end(gate);
                    auto set = sysv::TokenSet::create(key, shape.slots, modes);
                    const bool right = set.slots() == shape.slots &&
                                       set.take(sysv::Lease::until_process_ends, soon());
                    return right ? 0 : 1;
                }));
            gate.writer = Fd{};
            for (auto& creator : creators)
                CHECK(status_of(creator) == 0);
            const auto set = sysv::TokenSet::find(key);
            CHECK(set->slots() == shape.slots);
            CHECK(set->taken() == 0);
        }
    }
}

TEST_CASE("creators of two shapes: one wins, the others are told both") {
    for (int round = 0; round < 10; ++round) {
        const Scenario scenario;
        const auto key = sysv::Key::parse(scenario.name());
        Shared<std::atomic<int>> refused;
        std::vector<Child> creators;
        for (int count = 0; count < 12; ++count)
            creators.push_back(fork_child([&] {
                const auto message =
                    error_of([&] { (void)sysv::TokenSet::create(key, 2 + count % 2, modes); });
                if (message.empty()) return 0;
                refused->fetch_add(1);
                return message.find(" slots: it has ") != std::string::npos ? 0 : 1;
            }));
        for (auto& creator : creators)
            CHECK(status_of(creator) == 0);
        CHECK(*refused.operator->() == 6);
    }
}

TEST_CASE("the same shape again is the same set, another shape is an error") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    const auto name = sysv::Key::parse(scenario.name());
    const int id = sysv::TokenSet::create(key, 4, modes).id();
    CHECK(sysv::TokenSet::create(key, 4, modes).id() == id);
    CHECK(error_of([&] { (void)sysv::TokenSet::create(key, 5, modes); }) ==
          fmt::format("cannot create {} with 5 slots: it has 4 slots", key.text()));
    CHECK(error_of([&] { (void)sysv::TokenSet::create(key, 1, modes); }) ==
          fmt::format("cannot create {} with 1 slot: it has 4 slots", key.text()));
    (void)sysv::TokenSet::create(name, 1, modes);
    CHECK(error_of([&] { (void)sysv::TokenSet::create(name, 2, modes); }) ==
          fmt::format("cannot create {} with 2 slots: it has 1 slot", name.text()));

    const auto plain = sysv::Key::parse(scenario.key(1));
    (void)sysv::TokenSet::create(plain, 1, modes);
    CHECK(values_of(plain).size() == 1);
    CHECK(error_of([&] { (void)sysv::TokenSet::create(plain, 2, modes); }).find("1 ") !=
          std::string::npos);
}

TEST_CASE("a set that its creator did not live to make is made by the next") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    const int id = ::semget(key.value(), 7 + 64, IPC_CREAT | IPC_EXCL | modes);
    REQUIRE(id >= 0);
    CHECK_FALSE(sysv::TokenSet::find(key));
    SUBCASE("untouched") {}
    SUBCASE("although a taker of the manual page is inside") {
        REQUIRE(manual_take(id));
    }
    auto set = sysv::TokenSet::create(key, 2, modes);
    CHECK(set.id() == id);
    CHECK(set.slots() == 2);
    if (set.taken() == 1) CHECK(set.give(now()));
    CHECK(set.take(sysv::Lease::until_given, now()));
}

TEST_CASE("a name's key that belongs to a stranger is detected") {
    const Scenario scenario;
    const auto name = sysv::Key::parse(scenario.name());
    const auto number = sysv::Key::parse(fmt::format("{}", name.value()));
    SUBCASE("a plain set") {
        (void)sysv::TokenSet::create(number, 1, modes);
    }
    SUBCASE("a counting set with another label") {
        (void)sysv::TokenSet::create(number, 4, modes);
    }
    SUBCASE("a large set that is in use") {
        const int id = ::semget(name.value(), 100, IPC_CREAT | modes);
        sembuf raise{50, 1, 0};
        REQUIRE(::semop(id, &raise, 1) == 0);
    }
    const auto before = values_of(name);
    CHECK(error_of([&] { (void)sysv::TokenSet::find(name); }).find("another semaphore set") !=
          std::string::npos);
    CHECK(error_of([&] { (void)sysv::TokenSet::create(name, 4, modes); }).find(name.text()) !=
          std::string::npos);
    CHECK(values_of(name) == before);
}

TEST_CASE("as many tokens as slots, and no more given than taken") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        CHECK_FALSE(set.give(now()));
        for (int count = 0; count < shape.slots; ++count)
            CHECK(set.take(sysv::Lease::until_given, now()));
        CHECK(set.taken() == shape.slots);
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_process_ends, Deadline::after(1ms)));
        CHECK(set.taken() == shape.slots);
        for (int count = 0; count < shape.slots; ++count)
            CHECK(set.give(now()));
        CHECK_FALSE(set.give(now()));
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("what was lent outlives its taker, what is leased does not") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        auto lender = start_holder(key, sysv::Lease::until_given);
        end(lender);
        CHECK(set.taken() == 1);
        CHECK(set.give(now()));
        auto holder = start_holder(key, sysv::Lease::until_process_ends);
        CHECK(set.taken() == 1);
        end(holder);
        CHECK(values_of(key) == fresh);
    }
}

namespace {

// Runs BODY in a child that is killed at its STOP-th entry to or exit from a system call. False
// when it ended before.
bool kill_at_stop(int stop, const std::function<int()>& body) {
    Child child = fork_child([&] {
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::raise(SIGSTOP);
        return body();
    });
    int status = 0;
    ::waitpid(child.pid(), &status, 0);
    for (; WIFSTOPPED(status) && stop > 0; --stop) {
        ::ptrace(PTRACE_SYSCALL, child.pid(), nullptr, nullptr);
        ::waitpid(child.pid(), &status, 0);
    }
    if (WIFSTOPPED(status)) {
        end(child);
        return true;
    }
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    child.release();
    return false;
}

} // namespace

TEST_CASE("kill -9 at any system call loses no token") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        if (shape.slots == 1 && !shape.by_name) CHECK(fresh.size() == 1);

        const auto lease = [&] { return set.take(sysv::Lease::until_process_ends, now()) ? 0 : 1; };
        int stop = 1;
        for (; kill_at_stop(stop, lease); ++stop)
            CHECK(values_of(key) == fresh);
        CHECK(stop > 2);
        CHECK(values_of(key) == fresh);

        // What is lent is lent entirely or not at all, and given entirely or not at all.
        const auto lend_and_give = [&] {
            return set.take(sysv::Lease::until_given, now()) && set.give(now()) ? 0 : 1;
        };
        int lent = 0;
        for (stop = 1; kill_at_stop(stop, lend_and_give); ++stop) {
            CAPTURE(stop);
            if (set.taken() == 1) {
                ++lent;
                CHECK(set.give(now()));
            }
            CHECK(values_of(key) == fresh);
        }
        CHECK(lent > 0);
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("a waiter that is killed leaves no trace") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        for (int count = 0; count < shape.slots; ++count)
            REQUIRE(set.take(sysv::Lease::until_given, now()));
        const auto full = values_of(key);
        for (const auto lease : {sysv::Lease::until_given, sysv::Lease::until_process_ends}) {
            auto waiter = start_waiter(key, lease);
            end(waiter);
            CHECK(values_of(key) == full);
        }
        // One that waits its turn gets it.
        auto waiter = start_waiter(key, sysv::Lease::until_process_ends);
        CHECK(set.give(now()));
        CHECK(status_of(waiter) == 0);
        CHECK(set.taken() == shape.slots - 1);
    }
}

TEST_CASE("a set that is removed wakes who waits for it") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        for (int count = 0; count < shape.slots; ++count)
            REQUIRE(set.take(sysv::Lease::until_given, now()));
        auto waiter = start_waiter(key, sysv::Lease::until_given);
        sysv::SemaphoreSet::find(key)->remove();
        CHECK(status_of(waiter) == 7);
        CHECK(error_of([&] {
                  (void)set.take(sysv::Lease::until_given, now());
              }).find("was removed") != std::string::npos);
    }
}

TEST_CASE("never more inside than slots, whoever takes how") {
    struct Inside {
        std::atomic<int> ours{0};
        std::atomic<int> manual{0};
        std::atomic<int> wrong{0};
        std::atomic<int> most{0};
    };
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        const auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        Shared<Inside> inside;
        const auto enter = [&] {
            const int count = inside->ours.fetch_add(1) + 1;
            if (count > shape.slots || inside->manual.load() > 0) inside->wrong.fetch_add(1);
            for (int most = inside->most.load();
                 count > most && !inside->most.compare_exchange_weak(most, count);)
                ;
            ::sched_yield();
            inside->ours.fetch_sub(1);
        };
        std::vector<Child> children;
        for (int count = 0; count < 4; ++count)
            children.push_back(fork_child([&] {
                auto own = sysv::TokenSet::find(key);
                for (int turn = 0; turn < 100; ++turn) {
                    if (!own->take(sysv::Lease::until_given, soon())) return 1;
                    enter();
                    if (!own->give(soon())) return 2;
                }
                return 0;
            }));
        for (int count = 0; count < 20; ++count)
            children.push_back(fork_child([&] {
                if (!sysv::TokenSet::find(key)->take(sysv::Lease::until_process_ends, soon()))
                    return 1;
                enter();
                return 0;
            }));
        children.push_back(fork_child([&] {
            for (int turn = 0; turn < 50; ++turn) {
                if (!manual_take(set.id())) return 1;
                if (inside->ours.load() > 0) inside->wrong.fetch_add(1);
                inside->manual.fetch_add(1);
                ::sched_yield();
                inside->manual.fetch_sub(1);
                manual_give(set.id());
            }
            return 0;
        }));
        for (auto& child : children)
            CHECK(status_of(child) == 0);
        CHECK(inside->wrong.load() == 0);
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("a taker of the manual page and ours exclude each other") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        REQUIRE(manual_take(set.id(), IPC_NOWAIT));
        CHECK(set.taken() == 1);
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_process_ends, Deadline::after(1ms)));
        auto waiter = start_waiter(key, sysv::Lease::until_given);
        CHECK(set.give(now())); // ours gives what the other took
        CHECK(status_of(waiter) == 0);
        CHECK_FALSE(manual_take(set.id(), IPC_NOWAIT));
        CHECK(set.give(now()));
        CHECK(manual_take(set.id(), IPC_NOWAIT));
    }
}

TEST_CASE("a give of the manual page without a take blocks nobody") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto set = sysv::TokenSet::create(key, 2, modes);
    const auto fresh = values_of(key);
    SUBCASE("while a token is lent") {
        REQUIRE(set.take(sysv::Lease::until_given, now()));
        manual_give(set.id());
        manual_give(set.id());
        CHECK(set.give(now()));
        CHECK(values_of(key) == fresh);
    }
    SUBCASE("while a token is leased") {
        auto holder = start_holder(key, sysv::Lease::until_process_ends);
        manual_give(set.id());
        end(holder);
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("resized up and down, also in use") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    auto set = sysv::TokenSet::create(key, 2, modes);
    REQUIRE(set.take(sysv::Lease::until_given, now()));
    REQUIRE(set.take(sysv::Lease::until_given, now()));

    SUBCASE("up: who waits gets a token") {
        auto waiter = start_waiter(key, sysv::Lease::until_given);
        CHECK(set.resize(3, now()));
        CHECK(status_of(waiter) == 0);
        CHECK(set.slots() == 3);
        CHECK(set.taken() == 3);
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("down: not below what is taken") {
        CHECK_FALSE(set.resize(1, now()));
        CHECK(set.slots() == 2);
        CHECK(set.give(now()));
        CHECK(set.resize(1, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
        CHECK(set.give(now()));
        CHECK(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("down: waits for tokens to come back") {
        Child resizer = fork_child([&] { return set.resize(1, soon()) ? 0 : 1; });
        CHECK(eventually([&] { return is_blocked_in(resizer.pid(), SYS_semtimedop); }));
        CHECK(set.give(now()));
        CHECK(status_of(resizer) == 0);
        CHECK(set.slots() == 1);
    }
    SUBCASE("two at once: the last wins, and no token is made or lost") {
        std::vector<Child> resizers;
        for (int slots = 3; slots < 11; ++slots)
            resizers.push_back(fork_child([&] { return set.resize(slots, soon()) ? 0 : 1; }));
        for (auto& resizer : resizers)
            CHECK(status_of(resizer) == 0);
        const int slots = set.slots();
        CHECK(slots >= 3);
        for (int taken = 2; taken < slots; ++taken)
            CHECK(set.take(sysv::Lease::until_given, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("not beyond what it was made for") {
        CHECK(set.resize(64, now()));
        CHECK(error_of([&] { (void)set.resize(65, now()); }) ==
              fmt::format("cannot resize {} to 65 slots: it was made for at most 64", key.text()));
    }
}

TEST_CASE("a plain set cannot be resized") {
    const Scenario scenario;
    auto set = sysv::TokenSet::create(sysv::Key::parse(scenario.key()), 1, modes);
    CHECK(set.resize(1, now()));
    CHECK(error_of([&] { (void)set.resize(2, now()); }).find("plain set") != std::string::npos);
}

TEST_CASE("the holders are known") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        const auto set = sysv::TokenSet::create(key, shape.slots, modes);
        CHECK(set.holders().empty());
        auto holder = start_holder(key, sysv::Lease::until_given);
        auto holders = set.holders();
        REQUIRE(holders.size() == 1);
        CHECK(holders[0].pid == holder.pid());
        CHECK(holders[0].lease == sysv::Lease::until_given);
        CHECK(holders[0].kept_for() == 0);
        CHECK(holders[0].process->parent == ::getpid());
        CHECK(holders[0].text() == find_process(holder.pid())->text());
        end(holder);
        holders = set.holders();
        REQUIRE(holders.size() == 1);
        CHECK_FALSE(holders[0].process);
        CHECK(holders[0].text() == fmt::format("{} (ended)", holders[0].pid));
    }
}

TEST_CASE("every holder of a counting set is known, with its lease") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    const auto set = sysv::TokenSet::create(key, 3, modes);
    const auto first = start_holder(key, sysv::Lease::until_process_ends);
    const auto second = start_holder(key, sysv::Lease::until_given);
    const auto holders = set.holders();
    REQUIRE(holders.size() == 2);
    CHECK(holders[0].pid == first.pid());
    CHECK(holders[0].lease == sysv::Lease::until_process_ends);
    CHECK(holders[1].pid == second.pid());
    CHECK(holders[1].lease == sysv::Lease::until_given);
}

TEST_CASE("a keeper is known by whom it keeps for") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto set = sysv::TokenSet::create(key, 1, modes);
    Pipe pipe = make_pipe();
    const Child keeper = fork_child([&, owner = ::getpid()] {
        sysv::become_keeper(owner);
        if (!set.take(sysv::Lease::until_process_ends, now())) return 1;
        pipe.writer = Fd{};
        ::pause();
        return 0;
    });
    wait_for_end(pipe);
    const auto holders = set.holders();
    REQUIRE(holders.size() == 1);
    CHECK(holders[0].kept_for() == ::getpid());
    CHECK(holders[0].lease == sysv::Lease::until_process_ends);
    CHECK(holders[0].text().starts_with(fmt::format("{} (unit", ::getpid())));
    CHECK_FALSE(set.give(now()));
}

TEST_CASE("a leased token of a plain set is not given, from before the take until after the exec") {
    Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto set = sysv::TokenSet::create(key, 1, modes);
    Pipe announced = make_pipe();
    Pipe go = make_pipe();
    const Child holder = fork_child([&] {
        set.announce_lease();
        if (!set.take(sysv::Lease::until_process_ends, now())) return 1;
        announced.writer = Fd{};
        wait_for_end(go);
        const std::vector<std::string> command{"sh", "-c", "kill -STOP $$"};
        execute("/bin/sh", command);
    });
    wait_for_end(announced);
    REQUIRE(set.holders().size() == 1);
    CHECK(set.holders()[0].lease == sysv::Lease::until_process_ends);
    CHECK_FALSE(set.give(now()));
    go.writer = Fd{};
    CHECK(eventually([&] {
        if (set.give(now())) FAIL("gave a leased token");
        return find_process(holder.pid())->name == "sh";
    }));
    CHECK_FALSE(set.give(now()));
}
