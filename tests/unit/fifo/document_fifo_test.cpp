#include "fifo/document_fifo.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <set>
#include <string_view>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

struct Numbers : fifo::Documents {
    int next = 1;
    std::vector<fifo::Document> returned;
    int read = 0;

    std::optional<fifo::Document> take() override {
        if (returned.empty()) return fifo::Document{fmt::format("<{}>", next++), {}};
        fifo::Document document = std::move(returned.back());
        returned.pop_back();
        return document;
    }
    void give_back(fifo::Document document) override { returned.push_back(std::move(document)); }
    void delivered(const fifo::Document&) override { ++read; }
};

// READERS processes read "fifo" COUNT times each, or fewer times if LIMIT passes. Returns a line
// for each time.
std::vector<std::string> read_with(int readers, int count, fifo::FileEvents::Backend backend,
                                   Deadline limit = Deadline::never()) {
    Pipe start = make_pipe();
    Pipe results = make_pipe();
    // Start the readers before there is a FIFO, so that they have no copies of its write ends.
    std::vector<Child> children;
    for (int reader = 0; reader < readers; ++reader)
        children.push_back(fork_child([&] {
            std::byte go{};
            (void)read_some(start.reader.get(), {&go, 1}, "the start");
            for (int reading = 0; reading < count && !limit.passed(); ++reading) {
                const Fd end = open_file("fifo", O_RDONLY);
                write_all(results.writer.get(), read_to_end(end.get(), 4096, "fifo") + "\n",
                          "the results");
            }
            return 0;
        }));
    results.writer = Fd{};
    Numbers documents;
    fifo::DocumentFifo fifo{"fifo", 0600, documents, backend};
    write_all(start.writer.get(), std::string(static_cast<std::size_t>(readers), 'x'), "the start");
    std::string lines;
    for (bool open = true; open;) {
        const auto ends = fifo.poll_entries();
        std::array entries{ends[0], ends[1], pollfd{results.reader.get(), POLLIN, 0}};
        (void)poll_until(entries, fifo.deadline());
        fifo.work();
        if (entries[2].revents == 0) continue;
        std::byte buffer[4096];
        const auto got = read_some(results.reader.get(), buffer, "the results");
        lines.append(reinterpret_cast<const char*>(buffer), got);
        open = got > 0;
    }
    std::vector<std::string> each;
    for (std::string_view left = lines; !left.empty();) {
        each.emplace_back(left.substr(0, left.find('\n')));
        left.remove_prefix(each.back().size() + 1);
    }
    return each;
}

bool is_whole(std::string_view document) {
    return document.size() > 2 && document.front() == '<' && document.back() == '>' &&
           document.find('<', 1) == std::string_view::npos;
}

} // namespace

TEST_CASE("every reader gets one whole document, and no two the same") {
    Scenario scenario;
    for (const int readers : {1, 2, 8}) {
        const int count = 2000 / readers;
        // On a busy machine, each document of several readers can take half a second.
        const auto limit = Deadline::after(std::chrono::seconds{25});
        const auto each = read_with(readers, count, fifo::FileEvents::Backend::best, limit);
        const bool has_all = each.size() == static_cast<std::size_t>(readers * count);
        CHECK((has_all || limit.passed()));
        CHECK(each.size() > 10);
        std::set<std::string> documents;
        int empty = 0;
        for (const auto& document : each) {
            if (document.empty()) {
                ++empty;
                continue;
            }
            CHECK_MESSAGE(is_whole(document), document);
            CHECK_MESSAGE(documents.insert(document).second, document);
        }
        // The product promises one in a thousand. A loaded machine may be worse.
        CHECK(empty <= 10);
        CHECK(std::filesystem::is_empty("."));
    }
}

TEST_CASE(
    "with inotify, every reader gets at most one whole document, and a lone one always gets one") {
    Scenario scenario;
    for (const auto& document : read_with(1, 500, fifo::FileEvents::Backend::inotify))
        CHECK_MESSAGE(is_whole(document), document);
    std::set<std::string> documents;
    for (const auto& document : read_with(4, 200, fifo::FileEvents::Backend::inotify)) {
        if (document.empty()) continue;
        CHECK_MESSAGE(is_whole(document), document);
        CHECK_MESSAGE(documents.insert(document).second, document);
    }
    CHECK(documents.size() > 100);
    CHECK(std::filesystem::is_empty("."));
}

TEST_CASE("with inotify, a FIFO that is removed or replaced is noticed") {
    Scenario scenario;
    Numbers documents;
    fifo::DocumentFifo fifo{"fifo", 0600, documents, fifo::FileEvents::Backend::inotify};
    std::filesystem::remove("fifo");
    fifo.work();
    CHECK(std::filesystem::is_fifo("fifo"));
    std::filesystem::remove("fifo");
    std::filesystem::create_directory("fifo");
    CHECK_THROWS_AS(fifo.work(), Error);
}
