// Every one-line use of ipcbox pays for its start. This test counts only figures that do not depend
// on the load of the machine: instructions and page faults from exec to exit, and the bytes of the
// installed file. If a figure is over its limit, the test fails and prints it. Then find the cause
// (a linker map shows it), or raise the limit in a commit that says what for.
#include "contract.h"
#include "core/exit_status.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <limits>
#include <string>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

enum class Watch { freely, step_by_step };

struct Cost {
    long instructions = 0;
    long page_faults = 0;
};

// Runs "ipcbox --version" with an empty environment, because the C library reads all variables,
// which costs instructions.
Cost cost_of_start(const char* program, Watch watch) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::array<char*, 3> arguments{const_cast<char*>(program), const_cast<char*>("--version"),
                                       nullptr};
        char* environment[] = {nullptr};
        const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        ::dup2(nowhere, STDOUT_FILENO);
        if (watch == Watch::step_by_step) ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::execve(program, arguments.data(), environment);
        ::_exit(exit_status::not_found);
    }
    Cost cost;
    for (;;) {
        int status = 0;
        struct rusage usage {};
        if (::wait4(child, &status, 0, &usage) != child) FAIL("the child is gone");
        if (WIFSTOPPED(status)) {
            ++cost.instructions;
            ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
            continue;
        }
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        cost.page_faults = usage.ru_minflt;
        return cost;
    }
}

} // namespace

TEST_CASE("a start takes few instructions, few pages and a small file") {
    const auto program = test::variable("IPCBOX_BINARY");

    const auto instructions = cost_of_start(program.c_str(), Watch::step_by_step).instructions;
    MESSAGE("instructions: " << instructions);
    CHECK(instructions < 70'000);

    // At a page fault, the kernel also maps neighbouring pages that are in memory. On a busy
    // machine these are fewer, so the best of several starts counts.
    constexpr int starts = 20;
    auto page_faults = std::numeric_limits<long>::max();
    for (int start = 0; start < starts; ++start)
        page_faults =
            std::min(page_faults, cost_of_start(program.c_str(), Watch::freely).page_faults);
    MESSAGE("page faults: " << page_faults);
    CHECK(page_faults < 80);

    test::Scenario scenario;
    const auto stripped = scenario.path("ipcbox");
    CHECK(scenario.shell("strip -o ipcbox $1", {program}).status == 0);
    struct stat file {};
    REQUIRE(::stat(stripped.c_str(), &file) == 0);
    MESSAGE("bytes: " << file.st_size);
    CHECK(file.st_size < 4'100'000); // 38 applets; PCRE2 has 0.3 MB, gRPC for etcd 0.2 MB
}
