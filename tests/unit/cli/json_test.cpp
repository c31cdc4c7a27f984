#include "cli/json.h"

#include "cli/output.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/pipe.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <unistd.h>

using namespace ipcbox;

namespace {

// The text that LINE prints on standard output.
std::string printed(const cli::JsonLine& line) {
    cli::flush();
    Pipe pipe = make_pipe();
    const Fd old_output = Fd::adopt(::dup(STDOUT_FILENO));
    ::dup2(pipe.writer.get(), STDOUT_FILENO);
    line.print();
    ::dup2(old_output.get(), STDOUT_FILENO);
    pipe.writer = Fd{};
    return read_to_end(pipe.reader.get(), 1UL << 16U, "a pipe");
}

} // namespace

TEST_CASE("a line begins with the version of its fields") {
    CHECK(printed(cli::JsonLine{}) == "{\"v\":1}\n");
}

TEST_CASE("members keep their order and their types") {
    cli::JsonLine line;
    line.set("zebra", 1).set("apple", std::int64_t{-5}).set("text", "a").set("rate", 0.5);
    line.set_flag("yes", true).set_flag("no", false).set_null("nothing");
    CHECK(printed(line) == "{\"v\":1,\"zebra\":1,\"apple\":-5,\"text\":\"a\",\"rate\":0.5,"
                           "\"yes\":true,\"no\":false,\"nothing\":null}\n");
}

TEST_CASE("numbers are whole up to their limits") {
    CHECK(printed(cli::JsonLine{}.set("n", std::numeric_limits<std::int64_t>::max())) ==
          "{\"v\":1,\"n\":9223372036854775807}\n");
    CHECK(printed(cli::JsonLine{}.set("n", std::numeric_limits<std::uint64_t>::max())) ==
          "{\"v\":1,\"n\":18446744073709551615}\n");
    CHECK(printed(cli::JsonLine{}.set("n", std::nan(""))) == "{\"v\":1,\"n\":null}\n");
}

TEST_CASE("text is escaped, and stays on one line") {
    CHECK(printed(cli::JsonLine{}.set("t", "a\"b\\c\nd\x1b")) ==
          "{\"v\":1,\"t\":\"a\\\"b\\\\c\\nd\\u001b\"}\n");
    CHECK(printed(cli::JsonLine{}.set("t", std::string_view{"a\0b", 3})) ==
          "{\"v\":1,\"t\":\"a\\u0000b\"}\n");
    CHECK(printed(cli::JsonLine{}.set("t", "caf\xc3\xa9")) == "{\"v\":1,\"t\":\"caf\xc3\xa9\"}\n");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD") {
    CHECK(printed(cli::JsonLine{}.set("t", "a\xff"
                                           "b")) == "{\"v\":1,\"t\":\"a\xef\xbf\xbd"
                                                    "b\"}\n");
    CHECK(printed(cli::JsonLine{}.set("t", "\xe2\x82")) == "{\"v\":1,\"t\":\"\xef\xbf\xbd\"}\n");
}

TEST_CASE("objects go into a list, without their version") {
    cli::JsonLine line;
    line.add_object("users", cli::JsonLine{}.set("pid", 8));
    line.add_object("users", cli::JsonLine{}.set("pid", 9).set("t", "x"));
    CHECK(printed(line) == "{\"v\":1,\"users\":[{\"pid\":8},{\"pid\":9,\"t\":\"x\"}]}\n");
}

TEST_CASE("a text alone is escaped as in an object") {
    CHECK(cli::json_string("a\"b\n\xff") == "\"a\\\"b\\n\xef\xbf\xbd\"");
    CHECK(cli::json_string("") == "\"\"");
}
