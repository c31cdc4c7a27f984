#include "dialog/transcript.h"

#include <doctest/doctest.h>

using namespace ipcbox::dialog;

namespace {

std::string without_time(std::string_view line) {
    return std::string{line.substr(line.find(' ') + 1)};
}

} // namespace

TEST_CASE("a line is written when it is over, under the number of its party") {
    Transcript transcript{2};
    CHECK(transcript.say(0, "hel").empty());
    CHECK(without_time(transcript.say(1, "other\n")) == "2> other\n");
    CHECK(without_time(transcript.say(0, "lo\n")) == "1> hello\n");
    CHECK(without_time(transcript.say(0, "\n")) == "1> \n");
    CHECK(transcript.finish().empty());
}

TEST_CASE("a line that has no end, or is too long, is written in pieces that say so") {
    Transcript transcript{1};
    constexpr std::size_t max_line = 64UL * 1024;
    CHECK(without_time(transcript.say(0, std::string(max_line + 1, 'x'))) ==
          "1+ " + std::string(max_line, 'x') + "\n");
    CHECK(without_time(transcript.finish()) == "1+ x\n");
    CHECK(transcript.finish().empty());
    CHECK(without_time(transcript.say(0, std::string(max_line, 'x') + "\n")) ==
          "1> " + std::string(max_line, 'x') + "\n");
}
