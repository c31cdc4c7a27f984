// Watches a person talk with a program, and writes the script (expect/script.h) that does the same:
// an expect for the last line that the program wrote before a key, and a send for the keys.
#pragma once

#include "core/deadline.h"
#include "expect/ansi.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// Whether the terminal shows what is typed at the moment.
enum class Input { shown, hidden };

class Recorder {
  public:
    // WRITE gets each statement, with its line end, as soon as the next one begins.
    explicit Recorder(std::function<void(std::string_view)> write);

    // What the program wrote.
    void hear(std::string_view output);
    // KEYS are typed. Of hidden input, or after a prompt that asks for a secret, only the name of
    // an environment variable gets into the script.
    void type(std::string_view keys, Input input);
    // The talk is over.
    void finish();

  private:
    void type_key(char key, Input input);
    void begin_turn(Input input);
    void end_turn();
    void write_prompt();
    void write_secret();

    std::function<void(std::string_view)> write_;
    AnsiFilter filter_;
    std::string output_; // since the last key, without escape sequences
    std::string prompt_; // of the keys
    std::string keys_;
    bool is_secret_ = false;
    Duration wait_{}; // for the prompt
    Deadline::Clock::time_point last_key_ = Deadline::Clock::now();
    Deadline::Clock::time_point last_output_ = last_key_;
    std::vector<std::string> secrets_; // the first is PASSWORD, the second PASSWORD2
};

} // namespace ipcbox::expect
