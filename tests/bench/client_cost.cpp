// client_cost FILE COMMAND [ARGUMENT...] - runs a command to its end, with our standard streams.
// Appends a line to FILE: milliseconds, milliseconds of CPU (user and system, including the
// children that it waited for), and its largest memory, in KiB. Writes nothing if the command
// fails.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

double milliseconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) * 1e-3;
}

[[nodiscard]] int fail(const char* what, int error) {
    (void)std::fprintf(stderr, "client_cost: cannot run or record %s: %s\n", what,
                       std::strerror(error));
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        (void)std::fprintf(stderr, "usage: client_cost FILE COMMAND...\n");
        return 2;
    }
    const auto start = std::chrono::steady_clock::now();
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, argv[2], nullptr, nullptr, argv + 2, environ);
    if (error != 0) return fail(argv[2], error);
    int status = 0;
    rusage usage{};
    if (::wait4(pid, &status, 0, &usage) != pid) return fail(argv[2], errno);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (status != 0) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::FILE* file = std::fopen(argv[1], "ae");
    if (file == nullptr) return fail(argv[1], errno);
    (void)std::fprintf(file, "%.2f %.2f %ld\n", took.count(),
                       milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
                       usage.ru_maxrss);
    return std::fclose(file) == 0 ? 0 : fail(argv[1], errno);
}
