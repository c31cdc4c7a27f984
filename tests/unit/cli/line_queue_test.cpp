#include "cli/line_queue.h"

#include "core/io.h"
#include "core/pipe.h"
#include "core/signals.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>

using namespace ipcbox;

TEST_CASE("lines come out whole and in their order") {
    const BlockedSignals blocked{all_signals()};
    Pipe pipe = make_pipe();
    std::string expected;
    {
        cli::LineQueue queue{pipe.writer.get()};
        for (int line = 0; line < 1000; ++line) {
            queue.add("line " + std::to_string(line) + "\n");
            expected += "line " + std::to_string(line) + "\n";
        }
        queue.flush();
        CHECK(!queue.failed());
    }
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), 1 << 20, "a pipe") == expected);
}

TEST_CASE("a reader that does not read delays nobody, and is told how much was lost") {
    const BlockedSignals blocked{all_signals()};
    Pipe pipe = make_pipe();
    cli::LineQueue queue{pipe.writer.get()};
    const std::string line(999, 'x');
    constexpr int lines = 3000; // more than the pipe and the queue hold
    for (int each = 0; each < lines; ++each)
        queue.add(line + "\n");
    // Counts the lines that came and those that were reported as lost, in any number of reports.
    int whole = 0;
    int lost = 0;
    std::string text;
    while (whole + lost < lines) {
        std::array<std::byte, 65536> buffer{};
        const auto got = read_some(pipe.reader.get(), buffer, "a pipe",
                                   Deadline::after(std::chrono::seconds{30}));
        text.append(reinterpret_cast<const char*>(buffer.data()), got);
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
            if (text.front() == '(')
                lost += std::stoi(text.substr(1));
            else
                ++whole;
            text.erase(0, end + 1);
        }
    }
    CHECK(lost > 0);
    CHECK(whole + lost == lines);
}

TEST_CASE("a line that cannot be written is a failure, and no reason to hang") {
    const BlockedSignals blocked{all_signals()};
    const Fd full = open_file("/dev/full", O_WRONLY);
    cli::LineQueue queue{full.get()};
    queue.add("lost\n");
    queue.flush();
    CHECK(queue.failed());
}

TEST_CASE("lines that were not written are taken whole, and can be written again") {
    const BlockedSignals blocked{all_signals()};
    Pipe pipe = make_pipe();
    std::string expected;
    std::string text;
    {
        cli::LineQueue queue{pipe.writer.get()};
        for (int line = 0; line < 4000; ++line) { // more than a pipe holds
            queue.add("this is line number " + std::to_string(line) + "\n");
            expected += "this is line number " + std::to_string(line) + "\n";
        }
        const auto unwritten = queue.take_unwritten();
        CHECK(!unwritten.empty());
        CHECK(expected.ends_with(unwritten));
        CHECK(unwritten.starts_with("this is line"));
        queue.write_again(unwritten);
        while (text.size() < expected.size()) {
            std::array<std::byte, 65536> buffer{};
            const auto got = read_some(pipe.reader.get(), buffer, "a pipe",
                                       Deadline::after(std::chrono::seconds{30}));
            text.append(reinterpret_cast<const char*>(buffer.data()), got);
        }
        queue.flush();
        CHECK(!queue.failed());
    }
    CHECK(text == expected);
}

TEST_CASE("lines of JSON that were dropped are told in JSON, and are a failure") {
    const BlockedSignals blocked{all_signals()};
    Pipe pipe = make_pipe();
    cli::LineQueue queue{pipe.writer.get(), cli::LineQueue::Kind::json};
    const std::string line(999, 'x');
    for (int each = 0; each < 3000; ++each)
        queue.add(line + "\n");
    CHECK(queue.failed());
    std::string text;
    while (text.find("{\"v\":1,\"lost\":") == std::string::npos) {
        std::array<std::byte, 65536> buffer{};
        const auto got = read_some(pipe.reader.get(), buffer, "a pipe",
                                   Deadline::after(std::chrono::seconds{30}));
        text.append(reinterpret_cast<const char*>(buffer.data()), got);
    }
}
