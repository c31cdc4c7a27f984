// The ground on which an applet test stands: a temporary directory, which is the working directory;
// the applets in PATH under their own names; and the promise that nothing is left behind.
// Everything has a limit of 30 s. Nothing sleeps.
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
    int status = 0; // as in a shell: 128 + N when the command died of signal N
    std::string out;
    std::string err;
};

// A running command. It is killed when this object goes out of scope.
class Process {
  public:
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    void kill(int signal) const { child_.kill(signal); }

    // The next line that it prints, without the line feed. At the end of file, returns the bytes
    // that are left. Throws after 30 s.
    [[nodiscard]] std::string line() { return next_line(out_); }
    [[nodiscard]] std::string error_line() { return next_line(err_); }

    // Sends TEXT to its standard input, and closes that.
    void send(std::string_view text);
    void close_input() { input_ = Fd{}; }

    // Waits for its end. The result has the output that was not read before. Throws after 30 s.
    Result wait();
    // False when it has ended.
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
    // Kills all descendants of the test and waits for them. Removes the keys' objects and the
    // directory.
    ~Scenario();
    Scenario(const Scenario&) = delete;
    Scenario& operator=(const Scenario&) = delete;

    // The absolute path of a file in the temporary directory.
    [[nodiscard]] std::string path(std::string_view name) const;
    // A key that no System V object has. Each call returns the same one; WHICH = 1, 2, … gives
    // others.
    [[nodiscard]] std::string key(int which = 0) const;
    // "@name", which no other test uses.
    [[nodiscard]] std::string name(int which = 0) const;

    // Runs the applet WORDS[0]: the binary is called by that name. Its standard input is INPUT.
    Result run(const Words& words, std::string_view input = {});
    [[nodiscard]] Process start(const Words& words);

    // Runs a script for sh(1), in which the applets are commands. ARGUMENTS are $1 and so on.
    Result shell(const std::string& script, const Words& arguments = {},
                 std::string_view input = {});
    [[nodiscard]] Process start_shell(const std::string& script, const Words& arguments = {});

    [[nodiscard]] std::string read_file(std::string_view name) const;
    void write_file(std::string_view name, std::string_view text) const;
    [[nodiscard]] bool exists(std::string_view name) const;
    // The number of files in the temporary directory.
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

// Tests CONDITION again and again, for at most 30 s. False when it never held. Use it only where
// there is no event to wait for, for example until another process blocks in the kernel.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

[[nodiscard]] bool contains(std::string_view text, std::string_view part);

// Whether PID has ended, or ends within 30 s. A zombie has ended.
[[nodiscard]] bool has_ended(pid_t pid);
[[nodiscard]] bool ends(pid_t pid);

// Whether PID sleeps in the system call whose number /proc/PID/syscall shows as NUMBER.
[[nodiscard]] bool is_blocked_in(pid_t pid, long number);

// The children of a process, including its zombies.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);
// The number of a server's descriptors, without those of its loops' polls, because each loop opens
// its own only when it starts.
[[nodiscard]] std::ptrdiff_t count_descriptors(pid_t pid);

} // namespace ipcbox::test
