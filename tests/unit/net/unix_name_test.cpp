#include "net/unix_name.h"

#include "core/error.h"
#include "harness/scenario.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net/unreachable.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

// A directory whose path alone has more than 107 bytes.
std::string long_directory(const Scenario& scenario) {
    const auto directory = scenario.path(std::string(120, 'd'));
    std::filesystem::create_directory(directory);
    return directory;
}

} // namespace

TEST_CASE("a client and a server meet at a path over 107 bytes") {
    const Scenario scenario;
    const auto path = long_directory(scenario) + "/socket";
    const auto address = net::Address::unix_path(path);
    CHECK_THROWS_AS((void)net::connect_unix(address, soon()), net::Unreachable);
    {
        const auto server = net::listen_unix(path);
        CHECK(server.text == path);
        CHECK(server.address == address);
        CHECK(net::connect_unix(address, soon()));
        CHECK_THROWS_AS((void)net::listen_unix(path), Error);
    }
    CHECK_THROWS_AS((void)net::connect_unix(address, soon()), net::Unreachable);
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a long relative path needs no short way to it") {
    const Scenario scenario;
    (void)long_directory(scenario);
    const auto path = std::string(120, 'd') + "/socket";
    const auto server = net::listen_unix(path);
    CHECK(net::connect_unix(net::Address::unix_path(path), soon()));
}

TEST_CASE("a dead server's socket at a long path is replaced") {
    const Scenario scenario;
    const auto path = long_directory(scenario) + "/socket";
    auto dead = net::listen_unix(path);
    dead.file->release();
    dead.socket = Fd{};
    REQUIRE(std::filesystem::exists(path));
    const auto server = net::listen_unix(path);
    CHECK(net::connect_unix(net::Address::unix_path(path), soon()));
}

TEST_CASE("short paths and abstract names stay as they are") {
    const Scenario scenario;
    for (const auto& text : {scenario.name(), std::string{"socket"}, std::string(107, 'x')}) {
        const auto name = net::name_to_connect(net::Address::unix_path(text));
        CHECK(name.address.text() == text);
        CHECK_FALSE(name.kept);
    }
}

TEST_CASE("a file name that is too long even beside a descriptor is an error") {
    const Scenario scenario;
    const Fd directory = open_file(".", O_PATH | O_DIRECTORY);
    const std::string name(100, 'x');
    const auto path = long_directory(scenario) + "/" + name;
    CHECK_THROWS_AS((void)net::name_to_bind(path, directory, name), Error);
    CHECK_THROWS_AS((void)net::listen_unix(path), Error);
}
