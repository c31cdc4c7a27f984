#include "process/signal_masks.h"

#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::process;

using Names = std::vector<std::string>;

TEST_CASE("a mask is hexadecimal, the lowest bit for signal 1") {
    CHECK(parse_signal_mask("0000000000000001") == 1);
    CHECK(parse_signal_mask("0x4002") == 0x4002);
    CHECK(parse_signal_mask("fffffffe57f0d8fc") == 0xfffffffe57f0d8fc);
    for (const char* text : {"", "0x", "xyz", "1 ", "-1", "10000000000000000"})
        CHECK_FALSE(parse_signal_mask(text));
    CHECK(names_in(0x4002) == Names{"INT", "TERM"});
    CHECK(names_in(0).empty());
    CHECK(names_in(1ULL << 63U).size() == 1);
    CHECK(has_signal(0x4002, SIGTERM));
    CHECK_FALSE(has_signal(0x4002, SIGHUP));
}

TEST_CASE("a status file has the masks on lines of their names") {
    const auto masks = parse_signal_masks(
        "Name:\tSigIgn:\t5\nSigQ:\t0/1\nSigPnd:\t0000000000000001\nShdPnd:\t0000000000000002\n"
        "SigBlk:\t0000000000000004\nSigIgn:\t0000000000000008\nSigCgt:\t0000000000000010\nX:\t1\n");
    REQUIRE(masks);
    CHECK(*masks == SignalMasks{8, 16, 4, 3});
    CHECK_FALSE(parse_signal_masks(""));
    CHECK_FALSE(parse_signal_masks("SigPnd:\t1\nSigBlk:\t1\n"));
}
