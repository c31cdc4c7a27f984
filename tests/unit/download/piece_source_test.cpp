#include "download/piece_source.h"

#include "harness/scenario.h"
#include "http/failure.h"

#include <array>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;

namespace {

using Pieces = std::vector<http::BodyPiece>;

// Reads SOURCE to its end, three bytes at a time.
std::string read_all(http::BodySource& source) {
    std::string text;
    for (;;) {
        std::array<std::byte, 3> some{};
        const auto got = source.read(some);
        REQUIRE(got);
        if (*got == 0) return text;
        text.append(reinterpret_cast<const char*>(some.data()), *got);
    }
}

} // namespace

TEST_CASE("texts and files follow each other, and can be sent again") {
    test::Scenario scenario;
    scenario.write_file("file", "content");
    scenario.write_file("empty", "");
    const Pieces pieces{{"before ", {}}, {"", "file"}, {"", "empty"}, {" behind", {}}};
    PieceSource source{pieces};
    CHECK(source.length() == 21);
    CHECK(read_all(source) == "before content behind");
    source.rewind();
    CHECK(read_all(source) == "before content behind");
}

TEST_CASE("a file that grows is cut, and one that shrinks is an error") {
    test::Scenario scenario;
    scenario.write_file("file", "content");
    const Pieces pieces{{"", "file"}, {"!", {}}};
    PieceSource grown{pieces};
    scenario.write_file("file", "content and more");
    CHECK(read_all(grown) == "content!");
    PieceSource shrunk{pieces};
    scenario.write_file("file", "con");
    std::array<std::byte, 100> some{};
    CHECK(shrunk.read(some) == 3);
    CHECK_THROWS_AS((void)shrunk.read(some), http::TransferError);
}

TEST_CASE("the length of a body is known only if that of every piece is") {
    test::Scenario scenario;
    const Pieces nothing;
    PieceSource empty{nothing};
    CHECK(empty.length() == 0);
    CHECK(read_all(empty).empty());
    const Pieces input{{"a", {}}, {"", "-"}};
    CHECK_FALSE(PieceSource{input}.length());
    const Pieces absent{{"", "absent"}};
    CHECK_THROWS_AS(PieceSource{absent}, http::TransferError);
}
