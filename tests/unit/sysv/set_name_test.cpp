#include "sysv/set_name.h"

#include <doctest/doctest.h>
#include <string>

using namespace ipcbox;

TEST_CASE("a name comes out of its semaphores as it went in") {
    std::string longest(sysv::max_set_name, '\xff');
    for (const std::string& name : {std::string{}, std::string{"@a"}, std::string{"@build"},
                                    std::string{"@\n\x01\x80 z"}, longest}) {
        const auto words = sysv::set_name_of(name);
        CHECK(sysv::is_set_name(words));
        CHECK(sysv::text_of_set_name(words) == name);
        for (const auto word : words)
            CHECK(word <= 32767); // SEMVMX
    }
}

TEST_CASE("a name that is too long is left out") {
    const auto words = sysv::set_name_of(std::string(sysv::max_set_name + 1, 'x'));
    CHECK(sysv::is_set_name(words));
    CHECK(sysv::text_of_set_name(words).empty());
}

TEST_CASE("other semaphores are not a name") {
    auto words = sysv::set_name_of("@build");
    CHECK_FALSE(sysv::is_set_name(std::span{words}.first(words.size() - 1)));
    words[0] = 0;
    CHECK_FALSE(sysv::is_set_name(words));
    words[0] = 0x4900 | 38; // says more bytes than there are
    CHECK_FALSE(sysv::is_set_name(words));
}
