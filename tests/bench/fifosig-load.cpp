// fifosig-load PATH READERS SECONDS BYTES
//
// So many processes read PATH again and again, each time from open to the end of file. Prints one
// line: whole documents per second, and the per cent of readings that were one whole document,
// empty, and anything else (two documents, or a part); "hung" counts readers that had to be killed.
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Counter = std::atomic<unsigned long>;

struct Shared {
    Counter stop;
    Counter whole;
    Counter empty;
    Counter wrong;
};

void read_until_stopped(const char* path, unsigned long bytes, Shared& shared) {
    std::array<char, 131072> buffer;
    while (shared.stop == 0) {
        const int fd = ::open(path, O_RDONLY);
        if (fd < 0) continue; // the shell loop is between two FIFOs
        unsigned long got = 0;
        ssize_t count = 0;
        while ((count = ::read(fd, buffer.data(), buffer.size())) > 0)
            got += static_cast<unsigned long>(count);
        ::close(fd);
        ++(got == bytes ? shared.whole : got == 0 ? shared.empty : shared.wrong);
    }
}

// How many had to be killed: who blocks although there is a server has been forgotten by it.
int end(std::vector<pid_t>& readers) {
    int hung = 0;
    const auto limit = Clock::now() + std::chrono::seconds{2};
    for (const pid_t reader : readers) {
        pid_t ended = 0;
        while ((ended = ::waitpid(reader, nullptr, WNOHANG)) == 0 && Clock::now() < limit)
            ::usleep(1000);
        if (ended != 0) continue;
        ++hung;
        ::kill(reader, SIGKILL);
        ::waitpid(reader, nullptr, 0);
    }
    return hung;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const auto number = [argv](int at) { return std::strtoul(argv[at], nullptr, 10); };
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    auto& shared = *static_cast<Shared*>(memory);
    std::vector<pid_t> readers;
    for (unsigned long reader = 0; reader < number(2); ++reader) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            read_until_stopped(argv[1], number(4), shared);
            ::_exit(0);
        }
        readers.push_back(pid);
    }
    const double seconds = std::strtod(argv[3], nullptr);
    ::usleep(static_cast<useconds_t>(seconds * 1e6));
    const unsigned long whole = shared.whole;
    shared.stop = 1;
    const int hung = end(readers);
    const double all = static_cast<double>(shared.whole + shared.empty + shared.wrong) / 100;
    std::printf("%.0f %.3f %.3f %.3f %d\n", static_cast<double>(whole) / seconds,
                static_cast<double>(shared.whole) / all, static_cast<double>(shared.empty) / all,
                static_cast<double>(shared.wrong) / all, hung);
}
