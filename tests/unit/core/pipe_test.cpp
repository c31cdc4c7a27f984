#include "core/pipe.h"

#include "core/error.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

using namespace ipcbox;

TEST_CASE("a pipe can be widened, anything else is left alone") {
    const Pipe pipe = make_pipe();
    const int before = ::fcntl(pipe.reader.get(), F_GETPIPE_SZ);
    widen_pipe(pipe.writer.get());
    CHECK(::fcntl(pipe.reader.get(), F_GETPIPE_SZ) >= before);
    widen_pipe(open_file("/dev/null", O_RDONLY).get());
    widen_pipe(-1);
}

TEST_CASE("a pipe without descriptors left is an error") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{3, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_THROWS_WITH_AS((void)make_pipe(), "cannot make a pipe: Too many open files", SysError);
    CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}
