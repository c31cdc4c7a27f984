// The sweep for fifosig. One system call after another of a fifosig that has a reader fails once,
// with each errno that the kernel could return there.
#include "fault/sweep.h"

#include "core/exit_status.h"
#include "harness/environment.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <string_view>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("no matter what fails once, a reader of a FIFO gets the whole document or fifosig says "
          "why not") {
    const auto fails_somewhere_in_fifosig = [](const Words& words, const std::string& fault) {
        Scenario scenario;
        const auto mark = scenario.path("mark");
        Result result;
        std::string read;
        {
            const Variable which{"IPCBOX_FAULT", fault};
            const Variable where{"IPCBOX_FAULT_MARK", mark};
            auto process = scenario.start(words);
            const auto line = process.error_line();
            if (!contains(line, "serving")) {
                result = process.wait();
                result.err = line + "\n" + result.err;
            } else {
                auto reader = scenario.start_shell("exec cat fifo");
                result = process.wait();
                if (result.status == 0) read = reader.wait().out;
            }
        }
        const bool fired = scenario.exists("mark");
        const auto what = fired ? scenario.read_file("mark") : std::string{};
        CAPTURE(fault);
        CAPTURE(what);
        CAPTURE(result.err);
        CAPTURE(result.status);
        CHECK((result.status == 0 || result.status == 1 ||
               result.status == exit_status::cannot_execute));
        if (result.status == 0 && result.err.empty())
            CHECK((read == "text\n" || what.starts_with("write")));
        else if (!what.starts_with("write"))
            CHECK(result.err.starts_with("fifosig: "));
        // If the removal itself failed, the FIFO stays. The next fifosig takes it over.
        if (result.status != 0 || !what.starts_with("renameat2"))
            CHECK_FALSE(scenario.exists("fifo"));
        return fired;
    };
    auto errors = swept_errors({"ENOMEM", "EMFILE", "ENFILE", "EACCES", "ENOBUFS", "EPERM"});
    // EAGAIN means that the pipe is full and somebody will read it. fifosig waits for that.
    // The other two can lose the line that we wait for.
    for (const char* const error : {"EAGAIN", "EIO", "ENOSPC"})
        std::erase(errors, std::string_view{error});
    for (const auto& words : {Words{"fifosig", "-n", "1", "-s", "text", "fifo"},
                              {"fifosig", "-n", "1", "fifo", "--", "echo", "text"}})
        sweep_calls(errors, [&](const std::string& fault) {
            return fails_somewhere_in_fifosig(words, fault);
        });
}
