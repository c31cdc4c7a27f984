#include "expect/talk.h"

#include "core/event.h"

#include <csignal>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace ipcbox::expect {
namespace {

constexpr std::chrono::seconds limit{20};

TEST_CASE("an interrupt does not keep the end of input from being typed") {
    const std::vector<std::string> words{
        "sh", "-c", "trap 'exec wc -c' USR1; echo $$; while :; do sleep 0.01; done"};
    dialog::Peer peer{"/bin/sh", words, {}, dialog::Echo::off};
    Event event;
    peer.interrupt_by(event.fd());
    std::string output;
    pid_t program = 0;
    Talk talk{peer,
              1024,
              Sequences::kept,
              {.output = [&](std::string_view text) { output += text; },
               .interrupt =
                   [&] {
                       event.clear();
                       ::kill(program, SIGUSR1);
                   }}};
    while (output.find('\n') == std::string::npos)
        REQUIRE(talk.read(Deadline::after(limit)) == dialog::Peer::Event::output);
    program = std::stoi(output);
    output.clear();

    // More lines than the terminal takes while nobody reads them.
    std::string text;
    for (int line = 0; line < 100'000; ++line)
        text += "line\n";
    std::string_view rest{text};
    for (std::size_t before = 0; before != rest.size();) {
        before = rest.size();
        REQUIRE(peer.send(rest, output, Deadline::after(std::chrono::milliseconds{50})) ==
                dialog::Peer::Event::timeout);
    }
    event.signal();
    talk.end_input(Deadline::after(limit));
    auto last = dialog::Peer::Event::output;
    while (last == dialog::Peer::Event::output)
        last = talk.read(Deadline::after(limit));
    CHECK(last == dialog::Peer::Event::end);
    CHECK(output == std::to_string(text.size() - rest.size()) + "\r\n");
}

} // namespace
} // namespace ipcbox::expect
