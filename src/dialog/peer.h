// The other side of a talk: a program on a terminal of its own, where we take the place of the
// person (pty(7)), or the other end of a socket.
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/fd.h"
#include "core/terminal.h"
#include "dialog/rest.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::dialog {

// Whether a terminal shows what is typed.
enum class Echo { off, on };

class Peer {
  public:
    // Starts PROGRAM in a session of its own, on a new terminal. Throws as open_pty() and spawn()
    // do.
    Peer(const std::string& program, std::span<const std::string> arguments, TerminalSize size,
         Echo echo);
    // SOCKET is connected and non-blocking. NAME is for errors.
    Peer(Fd socket, std::string name);

    // A wait ends early once FD is readable.
    void interrupt_by(int fd) noexcept { interrupt_ = fd; }

    // How a wait ended. `end` comes when no process has the terminal open any more, or shortly
    // after the program has ended, if the processes that it left behind send no more output.
    enum class Event { output, timeout, end, interrupt, other };
    // Waits for output and appends it to INTO. Also waits for OTHER, if that is not -1. Throws
    // SysError.
    [[nodiscard]] Event read(std::string& into, Deadline deadline, int other = -1);
    // Types TEXT, and removes the part of it that was typed. Meanwhile output goes to INTO, so that
    // the two sides do not wait for each other forever. An event other than output says why TEXT
    // is not empty. A long line is handed over in parts, as dialog/typed_input.h says.
    [[nodiscard]] Event send(std::string_view& text, std::string& into, Deadline deadline);
    // Ends our side of a socket. For a program, returns the keys that end its input, such as
    // Ctrl-D; the caller sends them.
    [[nodiscard]] std::string end_of_input();

    // Hangs up: the program gets HUP, and nothing more is read.
    void hang_up();
    // Waits for the program's end, and returns its status as a shell would show it. Nothing after a
    // timeout or an interrupt. A socket's status is 0.
    [[nodiscard]] std::optional<int> status(Deadline deadline);
    // Hangs up, and kills a program that does not end soon.
    void end();

    void set_size(TerminalSize size) const noexcept;
    // Whether the program reads a line that the terminal does not show: it asks for a secret.
    [[nodiscard]] bool hides_input() const noexcept;
    // Whether the program would wait for a line now, because nothing that was typed is left to
    // read.
    [[nodiscard]] bool has_no_input() const;
    [[nodiscard]] bool is_program() const noexcept { return is_program_; }

  private:
    [[nodiscard]] Event read_now(std::string& into);
    [[nodiscard]] Event wait_for_event(short events, Deadline deadline, int other);
    [[nodiscard]] Event write_now(std::string_view& text);
    [[nodiscard]] ssize_t write_some_of(std::string_view text) const;
    void look_at_child();
    [[nodiscard]] char end_character() const noexcept;

    int interrupt_ = -1;
    bool is_program_;
    std::string name_;
    Fd fd_;
    short ready_ = 0; // what FD was ready for when a wait ended with output
    Child child_;
    std::optional<WaitStatus> status_;
    Rest rest_;
    Deadline late_ = Deadline::never(); // that had passed at the last wait
    std::size_t line_ = 0; // bytes of the open line that the terminal has not handed over
};

} // namespace ipcbox::dialog
