// The language of pty-expect: one statement on each line. The whole script is read before anything
// runs. The manual page ipcbox-pty-expect(1) defines it.
#pragma once

#include "core/deadline.h"
#include "expect/pattern.h"
#include "expect/script_reader.h"
#include "expect/script_text.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// What is done after a match, a timeout or the end.
struct Action {
    enum class Kind { go_on, jump, exit };
    Kind kind = Kind::go_on;
    std::size_t target = 0; // the statement to go on with
    int status = 0;
};

struct Arm {
    enum class Event { match, timeout, end };
    Event event = Event::match;
    std::optional<Pattern> pattern; // of a match
    Action action;
};

struct Statement {
    enum class Kind {
        expect,
        send,
        send_env,
        send_file,
        set,
        go,
        interact,
        timeout,
        close,
        wait,
    };
    Kind kind = Kind::expect;
    Position at;
    std::string source;            // as it was written, on one line
    std::vector<Arm> arms;         // expect; interact: at most one, the escape
    std::optional<Duration> limit; // expect, timeout, wait
    std::string name;              // send-env, send-file, set
    Text text;                     // send, set
    Action action;                 // go: goto and exit
};

struct Script {
    std::vector<Statement> statements;
};

// NAME is the file's, for errors. Throws ScriptError.
[[nodiscard]] Script parse_script(std::string_view source, std::string_view name);

} // namespace ipcbox::expect
