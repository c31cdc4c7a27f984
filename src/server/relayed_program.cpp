#include "server/relayed_program.h"

#include "core/date.h"
#include "core/error.h"
#include "core/io.h"
#include "core/number.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/socket_pair.h"
#include "core/words.h"
#include "net/relay.h"

#include <array>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::server {

namespace {

constexpr std::string_view mark = "--relay-one-connection";
constexpr auto no_number = "-";

// What the process has to do. It gets this as words of its command line.
struct Task {
    std::string record_directory;
    std::optional<Duration> idle;
    Deadline::Clock::time_point started;
    std::string peer;
    std::string local;
    std::vector<ResourceLimit> limits;
    std::optional<int> nice;
    bool no_new_privileges = false;
    std::string program;
    std::vector<std::string> arguments;
};

template <class Number> std::string word_of(const std::optional<Number>& number) {
    return number ? fmt::format("{}", *number) : no_number;
}

// "7:64,0:10"
std::string word_of(std::span<const ResourceLimit> limits) {
    std::string word;
    for (const auto& [resource, max] : limits)
        word += fmt::format("{}{}:{}", word.empty() ? "" : ",", resource, max);
    return word;
}

std::vector<std::string> words_of(const Task& task) {
    const auto idle = task.idle ? std::optional{task.idle->count()} : std::nullopt;
    std::vector<std::string> words{std::string{mark},
                                   task.record_directory,
                                   word_of(idle),
                                   fmt::format("{}", task.started.time_since_epoch().count()),
                                   task.peer,
                                   task.local,
                                   word_of(task.limits),
                                   word_of(task.nice),
                                   task.no_new_privileges ? "1" : "0",
                                   task.program};
    words.insert(words.end(), task.arguments.begin(), task.arguments.end());
    return words;
}

template <class Number> Number number_in(std::string_view word) {
    const auto number = whole_number<Number>(word);
    if (!number) throw Error("cannot relay: these arguments are not from the server");
    return *number;
}

std::vector<ResourceLimit> limits_in(std::string_view word) {
    std::vector<ResourceLimit> limits;
    while (!word.empty()) {
        const auto one = take_until(word, ',');
        const auto colon = std::min(one.find(':'), one.size() - 1);
        limits.push_back({number_in<int>(one.substr(0, colon)),
                          number_in<std::uint64_t>(one.substr(colon + 1))});
    }
    return limits;
}

Task task_in(std::span<char* const> words) {
    constexpr std::size_t fixed_words = 10;
    if (words.size() <= fixed_words) throw Error("cannot relay: arguments are missing");
    const auto word = [words](std::size_t at) { return std::string_view{words[at]}; };
    Task task;
    task.record_directory = word(1);
    if (word(2) != no_number) task.idle = Duration{number_in<Duration::rep>(word(2))};
    const Deadline::Clock::duration since{number_in<Deadline::Clock::rep>(word(3))};
    task.started = Deadline::Clock::time_point{since};
    task.peer = word(4);
    task.local = word(5);
    task.limits = limits_in(word(6));
    if (word(7) != no_number) task.nice = number_in<int>(word(7));
    task.no_new_privileges = word(8) == "1";
    task.program = word(9);
    task.arguments.assign(words.begin() + fixed_words, words.end());
    return task;
}

class Transcript {
  public:
    explicit Transcript(const Task& task) : started_(task.started) {
        std::array<char, 32> time{};
        const std::time_t now = std::time(nullptr);
        std::tm broken_down{};
        ::gmtime_r(&now, &broken_down);
        (void)std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", &broken_down);
        path_ = fmt::format("{}/{}-{}", task.record_directory, time.data(), ::getpid());
        file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        write(fmt::format("{} to {} at {}\n", task.peer, task.local, date_text(now)));
    }

    void add(net::Flow flow, std::string_view chunk) {
        if (chunk.empty()) return;
        const double since = in_seconds(Deadline::Clock::now() - started_);
        write(fmt::format("{} {:.6f} {}\n", flow == net::Flow::request ? '>' : '<', since,
                          chunk.size()));
        write(chunk);
        write("\n");
    }

  private:
    void write(std::string_view text) { write_all(file_.get(), text, path_); }

    Deadline::Clock::time_point started_;
    std::string path_;
    Fd file_;
};

Child start(const Task& task, const Fd& socket) {
    SpawnPlan plan;
    plan.input = plan.output = socket.get();
    plan.group = ProcessGroup::same;
    plan.limits = task.limits;
    plan.nice = task.nice;
    plan.no_new_privileges = task.no_new_privileges;
    return spawn(task.program, task.arguments, plan);
}

// Signals the program's group. We are in it too: we block TERM, but KILL ends us as well.
void end_group(Child& program) {
    kill_group_and_wake(::getpid(), SIGTERM);
    if (!program.wait_until(Deadline::after(time_from_term_to_kill)))
        kill_group(::getpid(), SIGKILL);
}

void pass_on(const Fd& client, const Fd& program, const Task& task,
             std::optional<Transcript>& transcript) {
    net::RelayOptions options;
    options.idle = task.idle;
    if (transcript)
        options.filter = [&transcript](net::Flow flow, std::string_view chunk) {
            transcript->add(flow, chunk);
            return chunk;
        };
    try {
        net::RelayCounts counts;
        net::relay(net::RelayEnd::socket(client.get(), "the client"),
                   net::RelayEnd::socket(program.get(), "the program"), options, counts);
    } catch (const SysError& error) {
        // If the client is gone, the program gets an end of file, as it would without the relay.
        if (error.error() != ECONNRESET && error.error() != EPIPE) throw;
    }
}

} // namespace

void check_record_directory(const std::string& directory) {
    try {
        // The file has no name, so it needs no cleaning up.
        const Fd file = open_file(directory, O_TMPFILE | O_WRONLY, 0600);
        write_all(file.get(), "x", directory);
    } catch (const SysError& error) {
        if (error.error() == EOPNOTSUPP && ::access(directory.c_str(), W_OK | X_OK) == 0) return;
        throw Error(fmt::format("cannot write transcripts in {}: {}", directory,
                                error_text(error.error())));
    }
}

Started start_relayed(const Connection& connection, const RelayPlan& relay,
                      const std::string& program, std::span<const std::string> arguments,
                      const SpawnPlan& plan) {
    const Task task{relay.record_directory,
                    relay.idle,
                    connection.started,
                    connection.peer_text(),
                    connection.local.text(),
                    {plan.limits.begin(), plan.limits.end()},
                    plan.nice,
                    plan.no_new_privileges,
                    program,
                    {arguments.begin(), arguments.end()}};
    auto words = words_of(task);
    words.insert(words.begin(), relay.applet);
    SpawnPlan ours;
    ours.input = ours.output = plan.input;
    ours.group = plan.group;
    ours.environment = plan.environment;
    ours.kept = plan.kept; // the program inherits it from the relay
    // Our own program, even when its file was replaced.
    return start_process(own_image(), words, ours);
}

bool is_relay(std::span<char* const> arguments) {
    return !arguments.empty() && arguments.front() == mark;
}

int run_relay(std::span<char* const> arguments,
              const std::function<void(const std::string&)>& say) {
    const Task task = task_in(arguments);
    // The server ends us and our program by a TERM to the group. Only the program should obey it.
    const BlockedSignals blocked{signal_set({SIGTERM})};
    const HarmlessWriteSignals harmless; // the log says why there is no transcript
    std::optional<Transcript> transcript;
    if (!task.record_directory.empty()) transcript.emplace(task);
    // Move the client away from standard input, because an open copy there would keep the
    // connection open.
    Fd client = Fd::adopt(STDIN_FILENO);
    let_go_of(STDIN_FILENO, "the connection");
    let_go_of(STDOUT_FILENO, "the connection");
    SocketPair pair = make_socket_pair();
    Child program = start(task, pair.theirs);
    pair.theirs = Fd{};
    set_nonblocking(client);
    set_nonblocking(pair.ours);
    try {
        pass_on(client, pair.ours, task, transcript);
    } catch (const TimedOut&) {
        say(fmt::format("ending {} ({}): idle for {} s", ::getpid(), task.peer,
                        in_seconds(*task.idle)));
        end_group(program);
        die_of(SIGTERM);
    }
    // Close our copies, so that the connection ends even if the program goes on.
    pair.ours = Fd{};
    client = Fd{};
    const auto status = program.wait();
    if (status.signal() != 0) die_of(status.signal());
    return status.as_exit_status();
}

} // namespace ipcbox::server
