#include "sysv/key.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>
#include <stdexcept>
#include <sys/ipc.h>

using namespace ipcbox;

TEST_CASE("numbers are keys, decimal or hexadecimal") {
    CHECK(sysv::Key::parse("1234").value() == 1234);
    CHECK(sysv::Key::parse("0x4d2").value() == 1234);
    CHECK(sysv::Key::parse("0X4D2").value() == 1234);
    CHECK(sysv::Key::parse("4294967295").value() == -1);
    CHECK(sysv::Key::parse("0xffffffff").value() == -1);
    CHECK(sysv::Key::parse("0x4d2").text() == "0x4d2");
    CHECK_FALSE(sysv::Key::parse("1234").is_name());
    for (const char* wrong :
         {"", "0", "0x0", "0x", "-1", "+1", " 1", "1 ", "12a", "0x4g", "4294967296", "name", "@"})
        CHECK_THROWS_AS((void)sysv::Key::parse(wrong), std::invalid_argument);
}

TEST_CASE("a path is the key that ftok(3) makes with Perl's project") {
    const test::Scenario scenario;
    scenario.write_file("lock", "");
    const auto key = sysv::Key::parse("./lock");
    CHECK(key.value() == ::ftok("lock", 1));
    CHECK(key.value() == sysv::Key::parse(scenario.path("lock")).value());
    try {
        (void)sysv::Key::parse("./missing");
        FAIL("a key of a missing file");
    } catch (const Error& error) {
        CHECK(std::string_view{error.what()} == "cannot make a key of ./missing: No such file or "
                                                "directory (touch it, or use @name)");
    }
}

TEST_CASE("a name is a hash, and has a label that tells it from others") {
    const auto build = sysv::Key::parse("@build");
    CHECK(build.is_name());
    CHECK(build.value() == sysv::Key::parse("@build").value());
    CHECK(build.label() == sysv::Key::parse("@build").label());
    CHECK(sysv::Key::parse("1").label() == sysv::Key::parse("2").label());

    std::set<key_t> values;
    std::set<sysv::Key::Label> labels;
    for (int number = 0; number < 1000; ++number) {
        const auto key = sysv::Key::parse(fmt::format("@{}", number));
        CHECK(key.value() > 0);
        CHECK(key.label()[0] % 2 == 1); // unlike fresh semaphores
        for (const auto word : key.label())
            CHECK(word < 0x8000);
        values.insert(key.value());
        labels.insert(key.label());
    }
    CHECK(values.size() == 1000);
    CHECK(labels.size() == 1000);
}

TEST_CASE("the hash of a name never changes, so that old and new versions meet") {
    const auto key = sysv::Key::parse("@build");
    CHECK(key.value() == 0xd99133f);
    CHECK(key.label() == sysv::Key::Label{0x26c5, 0x4ac9, 0x1364});
}

TEST_CASE("keys are numbers, paths and names") {
    CHECK(sysv::Key::parse("1234").value() == 1234);
    CHECK(sysv::Key::parse("0x4d2").value() == 1234);
    CHECK(sysv::Key::parse("0X4D2").value() == 1234);
    CHECK(sysv::Key::parse("0xffffffff").value() == -1);
    CHECK(sysv::Key::parse("4294967295").value() == -1);
    CHECK(sysv::Key::parse("1234").text() == "1234");
    CHECK_FALSE(sysv::Key::parse("1234").is_name());
    CHECK(sysv::Key::parse("/").value() == ::ftok("/", 1));
    const auto name = sysv::Key::parse("@build");
    CHECK(name.is_name());
    CHECK(name.value() == sysv::Key::parse("@build").value());
    CHECK(name.value() != sysv::Key::parse("@built").value());
    CHECK(name.label() != sysv::Key::parse("@built").label());
    for (const char* wrong :
         {"", "0", "0x0", "0x", "@", "build", "-1", "12 ", "4294967296", "0x1g"})
        CHECK_THROWS_AS((void)sysv::Key::parse(wrong), std::invalid_argument);
    CHECK_THROWS_AS((void)sysv::Key::parse("/no/such/file"), Error);
}

TEST_CASE("an octal or a negative key is refused by name") {
    const auto reason = [](const char* text) -> std::string {
        try {
            (void)sysv::Key::parse(text);
        } catch (const std::invalid_argument& wrong) {
            return wrong.what();
        }
        return "no error";
    };
    CHECK(reason("010") == "a key is decimal, or hexadecimal with 0x, but never octal");
    CHECK(reason("-1") == "a key cannot be negative (write 0xffffffff for -1)");
    CHECK(reason("0") == "0 is IPC_PRIVATE, which no other process could find");
    CHECK(sysv::Key::parse("0x010").value() == 16);
}
