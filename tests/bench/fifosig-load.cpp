// fifosig-load PATH READERS SECONDS BYTES
//
// READERS processes read PATH again and again, each time from open to the end of file. Prints one
// line: whole documents per second, and the percentages of reads that gave one whole document,
// nothing, or anything else (two documents, or a part). "hung" counts the readers that had to be
// killed.
#include "core/child.h"
#include "core/io.h"
#include "core/poll.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;

namespace {

using Counter = std::atomic<unsigned long>;

// Lies in memory that all processes share.
struct Shared {
    Counter stop;
    Counter whole;
    Counter empty;
    Counter wrong;
};

int read_until_stopped(const char* path, std::size_t bytes, Shared& shared) {
    std::array<std::byte, 131072> buffer;
    while (shared.stop == 0) {
        const int fd = ::open(path, O_RDONLY);
        if (fd < 0) continue; // a shell server is between two FIFOs now
        const std::size_t got = read_exact(fd, buffer, path);
        ::close(fd);
        ++(got == bytes ? shared.whole : got == 0 ? shared.empty : shared.wrong);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const auto readers = std::strtoul(argv[2], nullptr, 10);
    const double seconds = std::strtod(argv[3], nullptr);
    const auto bytes = std::strtoul(argv[4], nullptr, 10);
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    auto& shared = *static_cast<Shared*>(memory);
    std::vector<Child> children;
    for (unsigned long reader = 0; reader < readers; ++reader)
        children.push_back(fork_child([&] { return read_until_stopped(argv[1], bytes, shared); }));

    const auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
    (void)poll_until({}, Deadline::after(time));
    const unsigned long whole = shared.whole;
    shared.stop = 1;
    const auto limit = Deadline::after(std::chrono::seconds{2});
    int hung = 0; // the server runs and has forgotten them
    for (auto& child : children)
        if (!child.wait_until(limit)) ++hung;

    const double all = static_cast<double>(shared.whole + shared.empty + shared.wrong) / 100;
    std::printf("%.0f %.3f %.3f %.3f %d\n", static_cast<double>(whole) / seconds,
                static_cast<double>(shared.whole) / all, static_cast<double>(shared.empty) / all,
                static_cast<double>(shared.wrong) / all, hung);
}
