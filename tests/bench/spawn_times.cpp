// spawn_times ROUNDS COMMAND [ARGUMENT...] [-- COMMAND [ARGUMENT...]]... - prints how long each
// command takes to its end: the median in microseconds, and the ratio to the first command.
//
// The commands take turns (A B A B), so that other load on the machine affects all of them alike.
// Their output goes to /dev/null. Their statuses do not matter, but the commands must exist.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

struct Command {
    std::vector<char*> words;
    std::vector<double> times{};

    [[nodiscard]] std::string text() const {
        std::string text;
        for (const char* word : words)
            if (word != nullptr) text.append(text.empty() ? "" : " ").append(word);
        // Print the names without their directories.
        return text.substr(text.rfind('/', text.find(' ')) + 1);
    }
    [[nodiscard]] double quantile(double part) {
        const auto nth =
            times.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(times.size()));
        std::nth_element(times.begin(), nth, times.end());
        return *nth;
    }
};

double run(const Command& command, const posix_spawn_file_actions_t& actions) {
    const auto start = std::chrono::steady_clock::now();
    pid_t pid = 0;
    const int error =
        ::posix_spawnp(&pid, command.words[0], &actions, nullptr, command.words.data(), environ);
    int status = 0;
    if (error != 0 || ::waitpid(pid, &status, 0) != pid) {
        (void)std::fprintf(stderr, "spawn_times: cannot run %s: %s\n", command.words[0],
                           std::strerror(error));
        std::exit(1);
    }
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
        .count();
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        (void)std::fprintf(stderr, "usage: spawn_times ROUNDS COMMAND... [-- COMMAND...]...\n");
        return 2;
    }
    std::vector<Command> commands(1);
    for (int at = 2; at < argc; ++at)
        if (std::strcmp(argv[at], "--") == 0)
            commands.emplace_back();
        else
            commands.back().words.push_back(argv[at]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
        ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    for (auto& command : commands)
        command.words.push_back(nullptr);
    const long rounds = std::max(std::strtol(argv[1], nullptr, 10), 1L);
    for (long round = 0; round < rounds; ++round)
        for (auto& command : commands)
            command.times.push_back(run(command, actions));
    const double first = commands.front().quantile(0.5);
    for (auto& command : commands)
        std::printf("%10.0f us %10.0f us %8.2f x   %s\n", command.quantile(0.5),
                    command.quantile(0.1), command.quantile(0.5) / first, command.text().c_str());
    return 0;
}
