// Finding and executing programs: environ(7), execve(2).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox {

// The path of the program that NAME means: NAME itself if it has a slash, otherwise the first one
// along PATH. Throws Error with status 127 when there is none, 126 when it cannot be executed.
[[nodiscard]] std::string find_program(const std::string& name);
// The same with the value of the variable PATH in an argument.
[[nodiscard]] std::string find_program(const std::string& name, std::string_view path);

// The path by which we were executed (getauxval(3), AT_EXECFN), made absolute from the working
// directory: call it before that changes. A newer program may be at this path by now. Empty when we
// were executed by a descriptor and have no path (fexecve(3)).
[[nodiscard]] std::string path_of_execution();

// The path of our own program: /proc/self/exe, or without /proc the path by which we were executed.
// Throws SysError when neither is known.
[[nodiscard]] std::string own_program();

// A path that executes our own program, even when its file was replaced; without /proc it is
// own_program(). Throws SysError.
[[nodiscard]] std::string own_image();

// Becomes PROGRAM (a path), with ARGUMENTS whose first is the name it is called by. The program
// gets the signal mask that we were started with. Throws as find_program does.
[[noreturn]] void execute(const std::string& program, std::span<const std::string> arguments);

// The same, except that signals stay blocked as they are: for our own next image, which will
// receive them.
[[noreturn]] void execute_with_signals_blocked(const std::string& program,
                                               std::span<const std::string> arguments);

// An execve(2) whose memory is all allocated beforehand. execute() neither allocates nor throws, so
// a forked child may call it. PROGRAM, ARGUMENTS and ENVIRONMENT have to live until then; a null
// ENVIRONMENT means ours.
class PreparedProgram {
  public:
    PreparedProgram(const std::string& program, std::span<const std::string> arguments,
                    const std::vector<std::string>* environment = nullptr);

    // Becomes the program; returns an errno when that fails. A file that the kernel cannot run
    // (ENOEXEC: a script without "#!") is run by /bin/sh, as execvp(3) does it, unless it is a
    // binary.
    [[nodiscard]] int execute() noexcept;

  private:
    const std::string& program_;
    std::vector<char*> arguments_; // the shell's name, what the program gets, a null pointer
    std::vector<char*> environment_;
    bool has_environment_;
};

// Throws Error "cannot execute PROGRAM: REASON" for the errno ERROR: with status 127 when there is
// no such program, 126 when there is one that cannot be executed.
[[noreturn]] void throw_exec_error(const std::string& program, int error);

} // namespace ipcbox
