// What an applet test stands on: a temporary directory that is the working directory meanwhile, the
// applets in PATH under their own names, and the promise that nothing is left behind. Everything
// has a limit of 30 s; nothing sleeps.
//
//     Scenario scenario;
//     const auto result = scenario.run({"sem-give", scenario.key()});
//     CHECK(result.status == 1);
//     auto taker = scenario.start({"sem-take", "-v", scenario.key()});
//     CHECK(taker.error_line().starts_with("sem-take: waiting for"));
#pragma once

#include "core/child.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::test {

using Words = std::vector<std::string>;

// The result of a command.
struct Result {
    int status = 0; // as a shell reports it: 128 + N when it died of signal N
    std::string out;
    std::string err;
};

// A command that runs. It is killed when it goes out of scope.
class Process {
  public:
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    void kill(int signal) const { child_.kill(signal); }

    // Its next line, without the line feed; what is left at the end of file. Throws after 30 s.
    [[nodiscard]] std::string line() { return next_line(out_); }
    [[nodiscard]] std::string error_line() { return next_line(err_); }

    // Sends TEXT to its standard input, and ends that.
    void send(std::string_view text);
    void close_input() { input_ = Fd{}; }

    // Waits for its end; out and err are what was not read by then. Throws after 30 s.
    Result wait();
    // False once it has ended.
    [[nodiscard]] bool is_running() const;

  private:
    friend class Scenario;

    struct Stream {
        Fd fd;
        std::string pending;
    };
    std::string next_line(Stream& stream);

    Child child_;
    Fd input_;
    Stream out_;
    Stream err_;
};

class Scenario {
  public:
    Scenario();
    // Kills and reaps whatever descends from the test, removes the keys' objects and the directory.
    ~Scenario();
    Scenario(const Scenario&) = delete;
    Scenario& operator=(const Scenario&) = delete;

    // The absolute path of a file in the temporary directory.
    [[nodiscard]] std::string path(std::string_view name) const;
    // A key that no System V object has, the same at each call. Add 1, 2, … for further ones.
    [[nodiscard]] std::string key(int which = 0) const;
    // "@name" for a name that no other test uses.
    [[nodiscard]] std::string name(int which = 0) const;

    // WORDS[0] is an applet: the binary is called by that name. Its standard input is INPUT.
    Result run(const Words& words, std::string_view input = {});
    [[nodiscard]] Process start(const Words& words);

    // A script for sh(1), in which the applets are commands; $1 and so on are ARGUMENTS.
    Result shell(const std::string& script, const Words& arguments = {},
                 std::string_view input = {});
    [[nodiscard]] Process start_shell(const std::string& script, const Words& arguments = {});

    [[nodiscard]] std::string read_file(std::string_view name) const;
    void write_file(std::string_view name, std::string_view text) const;
    [[nodiscard]] bool exists(std::string_view name) const;
    // How many files are in the temporary directory.
    [[nodiscard]] std::size_t count_files() const;

  private:
    explicit Scenario(std::string directory);
    [[nodiscard]] Process launch(const std::string& program, const Words& words);

    int first_key_;
    std::string directory_;
    std::string old_directory_;
    std::string old_path_;
};

// The binary under test: $IPCBOX_BINARY.
[[nodiscard]] std::string binary();

// Polls CONDITION, yielding, for at most 30 s; false when it never held. For what has no event to
// wait for: that somebody else is blocked in the kernel, say.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

[[nodiscard]] bool contains(std::string_view text, std::string_view part);

// Whether PID has ended, reaped or not, and whether it does within 30 s.
[[nodiscard]] bool has_ended(pid_t pid);
[[nodiscard]] bool ends(pid_t pid);

// Whether PID sleeps in the system call that /proc/PID/syscall has as NUMBER.
[[nodiscard]] bool is_blocked_in(pid_t pid, long number);

// The children of a process, those that it has not reaped among them.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);
// The descriptors of a server, without those that its loops poll with: each opens its own when it
// comes to it.
[[nodiscard]] std::ptrdiff_t count_descriptors(pid_t pid);

} // namespace ipcbox::test
