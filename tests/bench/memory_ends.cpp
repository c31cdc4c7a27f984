// Moves bytes from a memory-mapped file to another process, through the ring of shm-write --stream
// and through a pipe of 1 MiB, in turn. Prints GB/s, medians and their ratio. Both files are mapped
// and touched before the clock starts, so the result does not depend on the page cache.
//
//     memory_ends DIRECTORY [MEBIBYTES-OF-A-FILE [ROUNDS]]
#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "sysv/ring.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;
constexpr std::size_t total = 4096 * mebibyte;

std::span<std::byte> map_file(const std::string& path, std::size_t size) {
    const Fd file = open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (::ftruncate(file.get(), static_cast<off_t>(size)) < 0) throw SysError("resize", path);
    void* const address =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.get(), 0);
    if (address == MAP_FAILED) throw SysError("map", path);
    ::unlink(path.c_str());
    const std::span bytes{static_cast<std::byte*>(address), size};
    std::memset(bytes.data(), 'x', size);
    return bytes;
}

// The file repeats to form an endless stream. Returns the piece at byte OFFSET of it, at most MOST
// bytes.
std::span<std::byte> piece(std::span<std::byte> file, std::size_t offset, std::size_t most) {
    const auto start = offset % file.size();
    return file.subspan(start, std::min({most, file.size() - start, total - offset}));
}

void through_ring(const sysv::Key& key, std::span<std::byte> from, std::span<std::byte> to) {
    Child child = fork_child([&] {
        sysv::ShmRingWriter writer{key};
        for (std::size_t sent = 0; sent < total;) {
            const auto slot = writer.next_slot(Deadline::never());
            const auto bytes = piece(from, sent, slot.size());
            std::memcpy(slot.data(), bytes.data(), bytes.size());
            writer.publish(bytes.size());
            sent += bytes.size();
        }
        writer.finish(Deadline::never());
        return 0;
    });
    sysv::ShmRingReader reader{key};
    for (std::size_t got = 0;;) {
        const auto slot = reader.next(Deadline::never());
        if (slot.empty()) break;
        const auto bytes = piece(to, got, slot.size());
        std::memcpy(bytes.data(), slot.data(), bytes.size());
        got += bytes.size();
    }
    child.wait();
}

void through_pipe(std::span<std::byte> from, std::span<std::byte> to) {
    Pipe pipe = make_pipe();
    widen_pipe(pipe.writer.get());
    Child child = fork_child([&] {
        for (std::size_t sent = 0; sent < total;)
            sent += write_some(pipe.writer.get(), piece(from, sent, mebibyte), "a pipe");
        return 0;
    });
    pipe.writer = Fd{};
    for (std::size_t got = 0; got < total;)
        got += read_some(pipe.reader.get(), piece(to, got, mebibyte), "a pipe");
    child.wait();
}

template <class Work> double gigabytes_per_second(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return static_cast<double>(total) / took.count() / 1e9;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

} // namespace

int main(int argc, char** argv) {
    const std::string directory = argc > 1 ? argv[1] : "/dev/shm";
    const std::size_t size = (argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1) * mebibyte;
    const int rounds = argc > 3 ? std::atoi(argv[3]) : 7;
    const auto name = fmt::format("{}/memory-ends-{}", directory, ::getpid());
    const auto from = map_file(name + "-from", size);
    const auto to = map_file(name + "-to", size);
    const auto key = sysv::Key::parse(fmt::format("@memory-ends-{}", ::getpid()));
    std::vector<double> ring;
    std::vector<double> pipe;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        ring.push_back(gigabytes_per_second([&] { through_ring(key, from, to); }));
        pipe.push_back(gigabytes_per_second([&] { through_pipe(from, to); }));
        ratios.push_back(ring.back() / pipe.back());
    }
    std::printf(
        "%3zu MiB mapped at each end: ring %5.1f GB/s, pipe of 1 MiB %4.1f GB/s, ratio %.1f\n",
        size / mebibyte, median(ring), median(pipe), median(ratios));
}
