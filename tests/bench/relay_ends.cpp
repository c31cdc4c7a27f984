// relay_ends FROM TO MEBIBYTES COMMAND... - both ends of a relay. Runs COMMAND between FROM and TO,
// and prints how many seconds it takes to move MEBIBYTES, and how many seconds of CPU (user and
// system). Either FROM is unix or tcp, a server that COMMAND connects to, and TO is pipe or null,
// the standard output of COMMAND. Or FROM is pipe or file, the standard input of COMMAND, and TO is
// unix or tcp. In COMMAND, @PLACE@ is the server's address: a path, or the port on 127.0.0.1.
#include "core/deadline.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/program.h"
#include "core/spawn.h"
#include "net/address.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;

namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;

void feed(int fd, std::size_t total) {
    const std::vector<std::byte> chunk(mebibyte, std::byte{'x'});
    for (std::size_t sent = 0; sent < total; sent += chunk.size())
        write_all(fd, chunk, "the relay");
}

// Reads everything in the cheapest way.
std::size_t drain(int fd) {
    std::vector<std::byte> buffer(mebibyte);
    const Fd null = open_file("/dev/null", O_WRONLY);
    std::size_t total = 0;
    bool splices = true;
    for (;;) {
        ssize_t got = splices ? ::splice(fd, nullptr, null.get(), nullptr, mebibyte, 0) : -1;
        if (got < 0) splices = false;
        if (got < 0) got = static_cast<ssize_t>(read_some(fd, buffer, "the relay"));
        if (got == 0) return total;
        total += static_cast<std::size_t>(got);
    }
}

// A listening socket, and its address as COMMAND needs it.
std::pair<Fd, std::string> listen_at(const std::string& kind, const std::string& directory) {
    const bool is_unix = kind == "unix";
    const auto address = is_unix ? net::Address::unix_path(directory + "/socket")
                                 : *net::Address::parse_ip("127.0.0.1", 0);
    Fd listener = Fd::adopt(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(listener.get(), address.data(), address.size()) < 0 ||
        ::listen(listener.get(), 1) < 0)
        throw SysError("listen at", address.text());
    auto place =
        is_unix ? address.text() : fmt::format("{}", net::local_address(listener.get()).port());
    return {std::move(listener), std::move(place)};
}

struct Measured {
    double seconds;
    double cpu;
};

// Runs WORDS with these standard streams, and does WORK at both ends in the meantime.
template <class Work>
Measured measure(std::vector<std::string> words, const std::string& place, int input, int output,
                 Work work) {
    for (auto& word : words)
        if (const auto at = word.find("@PLACE@"); at != std::string::npos)
            word.replace(at, std::string_view{"@PLACE@"}.size(), place);
    const auto start = Deadline::Clock::now();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(input, STDIN_FILENO);
        ::dup2(output, STDOUT_FILENO);
        execute(find_program(words.front()), words);
    }
    work();
    rusage usage{};
    int status = 0;
    ::wait4(pid, &status, 0, &usage);
    const std::chrono::duration<double> seconds = Deadline::Clock::now() - start;
    if (status != 0) throw Error(fmt::format("{} failed: {:#x}", words.front(), status));
    const auto value = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return {seconds.count(), value(usage.ru_utime) + value(usage.ru_stime)};
}

Measured answer(const std::string& from, const std::string& to, std::size_t total,
                const std::vector<std::string>& words, const std::string& directory) {
    auto [listener, place] = listen_at(from, directory);
    Pipe pipe = make_pipe();
    const Fd null = open_file("/dev/null", O_RDWR);
    const int output = to == "pipe" ? pipe.writer.get() : null.get();
    return measure(words, place, null.get(), output, [&, &server = listener] {
        pipe.writer = Fd{};
        std::size_t got = total;
        {
            const std::jthread reader{[&] {
                if (to == "pipe") got = drain(pipe.reader.get());
            }};
            const Fd client = Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
            feed(client.get(), total);
        }
        if (got != total) throw Error(fmt::format("{} of {} bytes came", got, total));
    });
}

Measured request(const std::string& from, const std::string& to, std::size_t total,
                 const std::vector<std::string>& words, const std::string& directory) {
    auto [listener, place] = listen_at(to, directory);
    Pipe pipe = make_pipe();
    Fd file;
    if (from == "file") { // a file in memory needs no disk
        file = Fd::adopt(::memfd_create("relay", MFD_CLOEXEC));
        feed(file.get(), total);
        ::lseek(file.get(), 0, SEEK_SET);
    }
    const Fd null = open_file("/dev/null", O_RDWR);
    const int input = file ? file.get() : pipe.reader.get();
    return measure(words, place, input, null.get(), [&, &server = listener] {
        pipe.reader = Fd{};
        const std::jthread writer{[&] {
            if (!file) feed(pipe.writer.get(), total);
            pipe.writer = Fd{};
        }};
        const Fd client = Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const auto got = drain(client.get());
        if (got != total) throw Error(fmt::format("{} of {} bytes came", got, total));
    });
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    auto pattern = (std::filesystem::temp_directory_path() / "relay-bench-XXXXXX").string();
    int status = 1;
    try {
        if (words.size() < 4) throw Error("usage: relay_ends FROM TO MEBIBYTES COMMAND...");
        if (::mkdtemp(pattern.data()) == nullptr) throw SysError("create", pattern);
        const auto total = std::stoul(words[2]) * mebibyte;
        const std::vector<std::string> command{words.begin() + 3, words.end()};
        const bool asks = words[0] == "pipe" || words[0] == "file";
        const auto measured =
            (asks ? request : answer)(words[0], words[1], total, command, pattern);
        std::printf("%.4f %.4f\n", measured.seconds, measured.cpu);
        status = 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "relay_ends: %s\n", error.what());
    }
    std::filesystem::remove_all(pattern);
    return status;
}
