#include "sysv/token_set.h"

#include "token_holders.h"

#include <atomic>
#include <fmt/format.h>
#include <functional>
#include <new>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

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

TEST_CASE("of creators of two shapes one wins, and the others are told both") {
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
    const int id =
        ::semget(key.value(), sysv::CountingSet::semaphores_for(1), IPC_CREAT | IPC_EXCL | modes);
    REQUIRE(id >= 0);
    CHECK_FALSE(sysv::TokenSet::find(key));
    SUBCASE("that nobody has touched") {}
    SUBCASE("although a taker of the manual page uses it") {
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

TEST_CASE("a set has as many tokens as slots, and gives no more than were taken") {
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

TEST_CASE("a lent token outlives its taker, a held one does not") {
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

// Runs BODY in a child, and kills it when it enters or leaves a system call for the STOP-th time.
// False when the child ended before that.
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

        // A lent token is lent as a whole or not at all, and given as a whole or not at all.
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
        // A waiter that is not killed gets its token.
        auto waiter = start_waiter(key, sysv::Lease::until_process_ends);
        CHECK(set.give(now()));
        CHECK(status_of(waiter) == 0);
        CHECK(set.taken() == shape.slots - 1);
    }
}

TEST_CASE("a set that is removed wakes its waiters") {
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

TEST_CASE("there are never more inside than slots, however they take") {
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
        CHECK(set.give(now())); // we give a token that the other took
        CHECK(status_of(waiter) == 0);
        CHECK_FALSE(manual_take(set.id(), IPC_NOWAIT));
        CHECK(set.give(now()));
        CHECK(manual_take(set.id(), IPC_NOWAIT));
    }
}

TEST_CASE("a set can be shared by many while no token is taken, and the other way round") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        for (const auto lease : {sysv::Lease::until_given, sysv::Lease::until_process_ends}) {
            auto first = start_sharer(key);
            auto second = start_sharer(key);
            CHECK(set.taken() == shape.slots);
            REQUIRE(set.holders().size() == 1);
            CHECK(set.holders()[0].sharers == 2);
            CHECK(set.holders()[0].pid == second.pid());
            CHECK_FALSE(set.take(lease, now()));
            CHECK_FALSE(set.give(now()));
            CHECK_FALSE(manual_take(set.id(), IPC_NOWAIT));
            auto waiter = start_waiter(key, lease);
            end(first);
            CHECK(is_blocked_in(waiter.pid(), SYS_semtimedop));
            end(second);
            CHECK(status_of(waiter) == 0);
            if (lease == sysv::Lease::until_given) {
                CHECK_FALSE(set.share(now()));
                CHECK_FALSE(set.share(Deadline::after(1ms)));
                CHECK(set.give(now()));
            }
            CHECK(values_of(key) == fresh);
        }
        REQUIRE(manual_take(set.id(), IPC_NOWAIT));
        CHECK_FALSE(set.share(now()));
        manual_give(set.id());
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("a sharer that is killed at any system call leaves no trace") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        const auto fresh = values_of(key);
        int stop = 1;
        while (kill_at_stop(stop, [&] { return set.share(now()) ? 0 : 1; })) {
            CHECK(values_of(key) == fresh);
            ++stop;
        }
        CHECK(stop > 2);
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("a wait for all tokens ends when the last is back") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        auto set = sysv::TokenSet::create(key, shape.slots, modes);
        CHECK(set.wait_until_free(now()));
        REQUIRE(set.take(sysv::Lease::until_given, now()));
        CHECK_FALSE(set.wait_until_free(now()));
        CHECK_FALSE(set.wait_until_free(Deadline::after(1ms)));
        Child waiter =
            fork_child([&] { return sysv::TokenSet::find(key)->wait_until_free(soon()) ? 0 : 1; });
        CHECK(eventually([&] { return is_blocked_in(waiter.pid(), SYS_semtimedop); }));
        REQUIRE(set.give(now()));
        CHECK(status_of(waiter) == 0);
        auto sharer = start_sharer(key);
        CHECK_FALSE(set.wait_until_free(now()));
        end(sharer);
        CHECK(set.wait_until_free(now()));
        CHECK(set.taken() == 0);
    }
}

TEST_CASE("a set that cannot be finished does not stay") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    if (::geteuid() != 0) {
        MESSAGE("not root: cannot become another user");
        return;
    }
    Child child = fork_child([&] {
        constexpr uid_t nobody = 65534;
        if (::setresuid(nobody, nobody, nobody) != 0) return 2;
        return error_of([&] { (void)sysv::TokenSet::create(key, 1, 0066); }).empty() ? 1 : 0;
    });
    CHECK(status_of(child) == 0);
    CHECK_FALSE(sysv::SemaphoreSet::find(key));
}
