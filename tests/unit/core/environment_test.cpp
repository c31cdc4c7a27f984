#include "core/environment.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

using Entries = std::vector<std::string>;

// Replaces our environment while it exists.
class Environ {
  public:
    explicit Environ(char** other) : before_(environ) { environ = other; }
    ~Environ() { environ = before_; }
    Environ(const Environ&) = delete;
    Environ& operator=(const Environ&) = delete;

  private:
    char** before_;
};

} // namespace

TEST_CASE("a name stands once in an environment, with the value that was set last") {
    Environment environment;
    environment.set("PATH=/bin");
    environment.set("PROTO=TCP");
    environment.set_all(Entries{"PATH=/opt/bin", "ROLE=guest", "ROLE=staff"});
    CHECK(environment.entries() == Entries{"PATH=/opt/bin", "PROTO=TCP", "ROLE=staff"});
}

TEST_CASE("a name that begins like another one is a name of its own") {
    Environment environment;
    environment.set("TCP=1");
    environment.set("TCPREMOTEIP=192.0.2.1");
    environment.set("TCP=2");
    CHECK(environment.entries() == Entries{"TCP=2", "TCPREMOTEIP=192.0.2.1"});
}

TEST_CASE("an entry without a name changes nothing") {
    Environment environment;
    environment.set_all(Entries{"", "=", "=value", "NAME"});
    CHECK(environment.entries().empty());
}

TEST_CASE("our own environment keeps the entry that getenv finds") {
    char first[] = "A=1";
    char second[] = "A=2";
    char nameless[] = "=x";
    char other[] = "B=";
    char* entries[] = {first, second, nameless, other, nullptr};
    const Environ replaced{entries};
    CHECK(Environment::ours().entries() == Entries{"A=1", "B="});
}

TEST_CASE("variables are removed by their names") {
    Environment environment;
    environment.set_all(Entries{"TCPREMOTEIP=1", "PATH=/TCPREMOTEIP=", "PROTO=TCP"});
    environment.remove_if([](std::string_view name) { return name.starts_with("TCP"); });
    CHECK(environment.entries() == Entries{"PATH=/TCPREMOTEIP=", "PROTO=TCP"});
}
