#include "core/program.h"

#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/spawn.h"
#include "harness/scenario.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

using Words = std::vector<std::string>;

int status_of_search(const std::string& name) try {
    (void)find_program(name);
    return exit_status::done;
} catch (const Error& error) {
    return error.status();
}

// Makes an executable file with this text.
std::string program_with(const test::Scenario& scenario, std::string_view text) {
    scenario.write_file("program", text);
    const auto path = scenario.path("program");
    REQUIRE(::chmod(path.c_str(), S_IRWXU) == 0);
    return path;
}

std::string output_of(Child child, Pipe& pipe) {
    pipe.writer = Fd{};
    auto text = read_to_end(pipe.reader.get(), 4096, "a pipe");
    CHECK(child.wait().succeeded());
    return text;
}

std::string output_of_executed(const std::string& program, const Words& words) {
    Pipe pipe = make_pipe();
    return output_of(fork_child([&] {
                         ::dup2(pipe.writer.get(), STDOUT_FILENO);
                         execute(program, words);
                         return 0;
                     }),
                     pipe);
}

std::string output_of_spawned(const std::string& program, const Words& words,
                              const Words* environment = nullptr) {
    Pipe pipe = make_pipe();
    return output_of(
        spawn(program, words, {.output = pipe.writer.get(), .environment = environment}), pipe);
}

} // namespace

TEST_CASE("a program is found along PATH, or where its slash says") {
    const test::Scenario scenario;
    const auto program = program_with(scenario, "");
    CHECK(find_program("sh").ends_with("/sh"));
    CHECK(find_program("./program") == "./program");
    CHECK(find_program(program) == program);
    CHECK(status_of_search("program") == exit_status::not_found); // not in PATH
    CHECK(status_of_search("./none") == exit_status::not_found);
    CHECK(status_of_search("") == exit_status::not_found);
    CHECK(status_of_search(".") == exit_status::cannot_execute);
    CHECK(status_of_search("./") == exit_status::cannot_execute);
    REQUIRE(::chmod(program.c_str(), S_IRUSR) == 0);
    CHECK(status_of_search("./program") == exit_status::cannot_execute);
}

TEST_CASE("a script without #! is run by /bin/sh, executed and spawned") {
    const test::Scenario scenario;
    const auto script = program_with(scenario, "echo \"$0: $# $*\"\n");
    const Words words{"called", "a b", "-c"};
    CHECK(output_of_executed(script, words) == script + ": 2 a b -c\n");
    CHECK(output_of_spawned(script, words) == script + ": 2 a b -c\n");
    // The program may have no argv[0], or one that looks like an option of the shell.
    CHECK(output_of_spawned(script, {}) == script + ": 0 \n");
    CHECK(output_of_spawned(script, Words{"-x"}) == script + ": 0 \n");
}

TEST_CASE("a script without #! gets the environment of the plan") {
    const test::Scenario scenario;
    const auto script = program_with(scenario, "echo $GREETING $HOME\n");
    const Words environment{"GREETING=hello"};
    CHECK(output_of_spawned(script, Words{"script"}, &environment) == "hello\n");
}

TEST_CASE("a file that is empty is a script that does nothing") {
    const test::Scenario scenario;
    const auto script = program_with(scenario, "");
    CHECK(output_of_executed(script, Words{"empty"}).empty());
    CHECK(output_of_spawned(script, Words{"empty"}).empty());
}

TEST_CASE("a binary of another machine's is not a script") {
    const test::Scenario scenario;
    const auto binary = program_with(scenario, "\x7f"
                                               "ELF, but not ours");
    CHECK(PreparedProgram{binary, Words{"binary"}}.execute() == ENOEXEC);
    CHECK_THROWS_WITH((void)spawn(binary, Words{"binary"}, {}),
                      ("cannot execute " + binary + ": Exec format error").c_str());
}
