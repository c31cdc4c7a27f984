#include "front/client/reporting_child.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"

#include <csignal>
#include <string>
#include <string_view>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_report = 16UL * 1024;

} // namespace

ReportingChild::ReportingChild(const std::function<void()>& work) {
    Pipe pipe = make_pipe();
    const pid_t parent = ::getpid();
    child_ = fork_child([&] {
        Error failure{""};
        try {
            end_with_parent(parent);
            work();
            return exit_status::done;
        } catch (const Error& error) {
            failure = error;
        } catch (const std::exception& error) {
            failure = Error{error.what()};
        }
        const std::string_view reason = failure.what();
        // The text fits into the pipe, so this does not block. If nobody reads it, our parent has
        // ended.
        write_all(pipe.writer.get(), reason.substr(0, max_report), "the reason");
        return failure.status();
    });
    report_ = std::move(pipe.reader);
}

void ReportingChild::finish() {
    const auto status = child_.wait();
    if (status.as_exit_status() == exit_status::done) return;
    const auto reason = read_to_end(report_.get(), max_report, "the reason of a failure");
    throw Error(reason.empty() ? "a child failed: " + status.text() : reason,
                status.as_exit_status());
}

void ReportingChild::stop() {
    child_.kill(SIGTERM);
    (void)child_.wait();
}

} // namespace ipcbox::front
