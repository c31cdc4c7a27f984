#include "sysv/known_names.h"

#include <doctest/doctest.h>
#include <string>

using namespace ipcbox;
using namespace std::string_literals;

TEST_CASE("names are found in the words of a command line, and in the text of a shell") {
    sysv::KnownNames names;
    names.add_words_of("sh\0-c\0sem-take @a -- x; sem-take '@b'\0@c\0user@host\0@\0"s);
    for (const char* name : {"@a", "@b", "@c"}) {
        const auto* key = names.find(sysv::Key::parse(name).value());
        REQUIRE(key != nullptr);
        CHECK(key->text() == name);
    }
    CHECK(names.find(sysv::Key::parse("@host").value()) == nullptr);
    CHECK(names.find(1234) == nullptr);
}

TEST_CASE("text that is not a name is ignored") {
    sysv::KnownNames names;
    for (const auto& text : {"1234"s, "./path"s, ""s, "@"s, "@"s + std::string(300, 'x')})
        names.add(text);
    CHECK(names.find(1234) == nullptr);
}
