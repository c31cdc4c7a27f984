// A person at a terminal: tmux types keys, and shows the screen.
#pragma once

#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <string>
#include <string_view>

namespace ipcbox::test {

class Screen {
  public:
    // A shell of 60 columns and 20 rows that runs LINE. At its end, the screen shows "left with
    // STATUS". The shell reads LINE from a file, so a text in LINE is on the screen only if a
    // command has written it.
    Screen(Scenario& scenario, const std::string& line) : scenario_(scenario) {
        REQUIRE(scenario
                    .shell("export XDG_STATE_HOME=$PWD/state; tmux -S server -f /dev/null "
                           "new-session -d -x 60 -y 20 sh; tmux -S server set -g remain-on-exit on")
                    .status == 0);
        scenario.write_file("screen-line",
                            "PS1='ready> '; clear; " + line + "; echo left with $?\n");
        type(". ./screen-line");
        key("Enter");
    }
    ~Screen() { scenario_.shell("tmux -S server kill-server"); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    void type(const std::string& text) const {
        REQUIRE(scenario_.shell("tmux -S server send-keys -l \"$1\"", {text}).status == 0);
    }
    // "Enter", "C-c", "Up"
    void key(const std::string& name) const {
        REQUIRE(scenario_.shell("tmux -S server send-keys $1", {name}).status == 0);
    }
    [[nodiscard]] std::string text() const {
        return scenario_.shell("tmux -S server capture-pane -p").out;
    }
    // Waits for at most 30 s.
    [[nodiscard]] bool shows(std::string_view wanted) const {
        return eventually([&] { return text().find(wanted) != std::string::npos; });
    }
    // Whether the shell can use the terminal again: the terminal delivers whole lines, as before
    // the command. Waits like shows(), because the terminal of a killed command is restored a
    // moment later.
    [[nodiscard]] bool is_as_before() const {
        return eventually([&] {
            type("stty -a | grep -q ' icanon' && echo as before");
            key("Enter");
            return text().find("\nas before") != std::string::npos;
        });
    }
    void resize(int columns, int rows) const {
        REQUIRE(scenario_
                    .shell("tmux -S server resize-window -x $1 -y $2",
                           {std::to_string(columns), std::to_string(rows)})
                    .status == 0);
    }

  private:
    Scenario& scenario_;
};

} // namespace ipcbox::test
