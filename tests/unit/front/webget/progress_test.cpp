#include "front/webget/progress.h"

#include "core/io.h"
#include "core/pipe.h"

#include <doctest/doctest.h>
#include <limits>

using namespace ipcbox;
using namespace ipcbox::front;

TEST_CASE("sizes are shown in decimal units") {
    CHECK(human_bytes(0) == "0 B");
    CHECK(human_bytes(999) == "999 B");
    CHECK(human_bytes(1000) == "1.0 kB");
    CHECK(human_bytes(99'949) == "99.9 kB");
    CHECK(human_bytes(123'456) == "123 kB");
    CHECK(human_bytes(1'300'000'000) == "1.3 GB");
    CHECK(human_bytes(5e15) == "5000 TB");
}

TEST_CASE("a line shows the progress, the speed and the time left") {
    CHECK(progress_text({"name", 2'500'000'000, 1'300'000'000, 112'000'000, 80}) ==
          "name                       [#######        ]  52 %   1.3 GB   112 MB/s    0:10");
    CHECK(progress_text({"name", std::nullopt, 1300, 0, 60}) ==
          "name                   1.3 kB      0 B/s");
    CHECK(progress_text({"n", 10, 5, 0, 80}).ends_with("-:--"));
    CHECK(progress_text({"n", 7200, 0, 1, 80}).ends_with(" 2:00:00"));
    CHECK(progress_text({"n", 7200, 0, 1e-300, 80}).ends_with(" 99:59:59"));
    // With more bytes than the server announced, progress stays at 100 %.
    CHECK(progress_text({"n", 10, 20, 1, 80}).find("100 %") != std::string::npos);
    CHECK(progress_text({"n", 0, 0, 0, 80}).find('%') == std::string::npos);
}

TEST_CASE("progress is one line, however narrow the terminal is") {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t columns = 1; columns < 200; ++columns)
        for (const std::optional<std::uint64_t> size :
             {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0},
              std::optional<std::uint64_t>{1000}, std::optional<std::uint64_t>{most}}) {
            const ProgressLine line{std::string(300, 'x'), size, 999, 1e9, columns};
            CHECK(progress_text(line).size() <= columns);
        }
}

TEST_CASE("a long name keeps its end, and whole characters") {
    const auto text = progress_text({std::string(100, 'x') + ".tar.gz", std::nullopt, 0, 0, 60});
    CHECK(text.find("xx.tar.gz ") != std::string::npos);
    // The second byte of U+26C4 would begin a control sequence on its own (ECMA-48, CSI).
    const std::string snowman = "\xe2\x9b\x84";
    std::string name;
    for (int count = 0; count < 100; ++count)
        name += snowman;
    for (std::size_t columns = 40; columns < 80; ++columns) {
        auto line = progress_text({name, std::nullopt, 0, 0, columns});
        for (auto at = line.find(snowman); at != std::string::npos; at = line.find(snowman))
            line.erase(at, snowman.size());
        CHECK(line.find_first_of("\xe2\x9b\x84") == std::string::npos);
    }
}

TEST_CASE("lines are drawn, and erased for other output") {
    Pipe pipe = make_pipe();
    {
        FetchProgress progress{pipe.writer.get(), 2};
        progress.begin(0, "one\x1b[31m", 100, 40);
        progress.begin(1, "two", std::nullopt, 0);
        progress.moved(0, 10); // the first line is drawn at once
        progress.erase();
        progress.erase();
        progress.end(0);
        progress.end(0);
        progress.end(7);
    }
    pipe.writer = Fd{};
    const auto text = read_to_end(pipe.reader.get(), 10'000, "a pipe");
    CHECK(text.starts_with("one^[[31m "));
    CHECK(text.find(" 50 % ") != std::string::npos);
    CHECK(text.find("\ntwo ") != std::string::npos);
    CHECK(text.find("\n0 of 2 documents ") != std::string::npos);
    CHECK(text.ends_with("/s\n\x1b[3A\x1b[J"));
}

TEST_CASE("the lines never exceed the screen") {
    Pipe pipe = make_pipe();
    {
        FetchProgress progress{pipe.writer.get(), 50};
        for (std::size_t number = 0; number < 50; ++number)
            progress.begin(number, "name", std::nullopt, 0);
        progress.moved(0, 1);
    }
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), 10'000, "a pipe").ends_with("\x1b[9A\x1b[J"));
}
