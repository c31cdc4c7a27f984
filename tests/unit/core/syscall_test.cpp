#include "core/syscall.h"

#include "core/trace.h"

#include "core/child.h"
#include "core/io.h"
#include "core/pipe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

// The trace that a child prints while it makes the calls in BODY, without its pid.
std::string trace_of(const std::function<void()>& body) {
    Pipe pipe = make_pipe();
    Child child = fork_child([&]() -> int {
        ::dup2(pipe.writer.get(), STDERR_FILENO);
        sys::start_tracing();
        body();
        ::_exit(0); // end before anything else is traced
    });
    pipe.writer = Fd{};
    auto text = read_to_end(pipe.reader.get(), 65536, "a pipe");
    const auto prefix = fmt::format("[{}] ", child.pid());
    CHECK(child.wait().succeeded());
    if (!text.starts_with(prefix)) return "no pid: " + text;
    return text.substr(prefix.size());
}

} // namespace

TEST_CASE("a call, its arguments and its result on one line") {
    CHECK(trace_of([] { sys::call("getppid", ::getppid); }) ==
          fmt::format("getppid() = {}\n", ::getpid()));
    CHECK(trace_of([] { sys::call("access", ::access, "/dev/null", F_OK); }) ==
          "access(\"/dev/null\", 0) = 0\n");
    CHECK(trace_of([] { sys::call("access", ::access, "/dev/null/x", F_OK); }) ==
          "access(\"/dev/null/x\", 0) = -1 ENOTDIR (Not a directory)\n");
    const auto take = [](const void* address, void* nothing) {
        return address != nullptr && nothing == nullptr ? 7L : 0L;
    };
    CHECK(trace_of([&] {
              sys::call("take", take, reinterpret_cast<const void*>(0x10), nullptr);
          }) == "take(0x10, 0x0) = 7\n");
    CHECK(trace_of([] { sys::call("chdir", ::chdir, static_cast<const char*>(nullptr)); }) ==
          "chdir(0x0) = -1 EFAULT (Bad address)\n");
}

TEST_CASE("a long text is cut, and control characters do not break the line") {
    const std::string path(100, 'x');
    CHECK(trace_of([&] { sys::call("chdir", ::chdir, path.c_str()); }) ==
          "chdir(\"" + path.substr(0, 64) + "\"...) = -1 ENOENT (No such file or directory)\n");
    CHECK(trace_of([&] { sys::call("chdir", ::chdir, "a\n\x1b\"b"); }) ==
          "chdir(\"a\\n\\x1b\\\"b\") = -1 ENOENT (No such file or directory)\n");
}

TEST_CASE("errno survives the trace") {
    CHECK(trace_of([] {
              sys::call("close", ::close, -1);
              if (errno != EBADF) ::_exit(1);
          }).starts_with("close(-1) = -1 EBADF"));
}
