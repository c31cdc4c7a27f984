#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/program.h"
#include "core/spawn.h"
#include "sysv/key.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <sched.h>
#include <stdexcept>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::test {

namespace {

constexpr auto limit = std::chrono::seconds{30};
constexpr std::size_t max_output = 256UL * 1024 * 1024;
constexpr int keys_of_a_test = 8;

// Reads the bytes that have come. False at the end of file.
bool drain(int fd, std::string& into) {
    std::array<std::byte, 65536> buffer;
    const std::size_t got = read_some(fd, buffer, "the output of a command");
    into.append(reinterpret_cast<const char*>(buffer.data()), got);
    if (into.size() > max_output) throw std::runtime_error("too much output");
    return got > 0;
}

// The children of one thread. None if the thread has ended.
std::vector<pid_t> children(pid_t pid, const std::string& thread) {
    const auto path = fmt::format("/proc/{}/task/{}/children", pid, thread);
    std::string text;
    try {
        text = read_to_end(open_file(path, O_RDONLY).get(), max_output, path);
    } catch (const SysError& error) {
        if (error.error() != ENOENT && error.error() != ESRCH) throw;
    }
    std::vector<pid_t> pids;
    for (const char* at = text.c_str(); *at != '\0';) {
        char* end = nullptr;
        pids.push_back(static_cast<pid_t>(std::strtol(at, &end, 10)));
        at = end + std::strspn(end, " \n");
    }
    return pids;
}

// Orphans become our children (PR_SET_CHILD_SUBREAPER), so this loop ends when the whole tree is
// gone.
void kill_descendants() {
    const pid_t us = ::getpid();
    const auto ours = [us] { return children(us, std::to_string(us)); };
    for (auto pids = ours(); !pids.empty(); pids = ours())
        for (const pid_t pid : pids) {
            auto process = open_process(pid);
            if (process) Child{pid, std::move(*process)}; // killed and waited for
        }
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(fmt::format("{} is not set", name));
    return value;
}

// Gives the command INPUT and returns its result. A command that ends early may leave a part of
// INPUT unread.
Result finish(Process process, std::string_view input) {
    try {
        if (!input.empty()) process.send(input);
    } catch (const SysError& error) {
        if (error.error() != EPIPE) throw;
    }
    return process.wait();
}

std::string make_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "ipcbox-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw SysError("create", pattern);
    return pattern;
}

int random_key() {
    std::random_device device;
    std::uniform_int_distribution<int> numbers{0x10000000, 0x7ffffff0};
    for (;;) {
        const int key = numbers(device);
        bool unused = true;
        for (int offset = 0; offset < keys_of_a_test; ++offset)
            unused = unused && ::semget(key + offset, 0, 0) < 0 && ::shmget(key + offset, 0, 0) < 0;
        if (unused) return key;
    }
}

void remove_objects(key_t key) {
    if (const int id = ::semget(key, 0, 0); id >= 0) ::semctl(id, 0, IPC_RMID);
    if (const int id = ::shmget(key, 0, 0); id >= 0) ::shmctl(id, IPC_RMID, nullptr);
}

// A directory with the applets under their own names, which all scenarios of a test program share:
// its links take longer to make than most commands run.
class Applets {
  public:
    Applets() {
        // Some tests run an applet as another user.
        std::filesystem::permissions(directory_, std::filesystem::perms{0755});
        const std::vector<std::string> words{"ipcbox", "--install", directory_};
        const auto status = spawn(program_, words, {}).wait().as_exit_status();
        if (status != 0)
            throw std::runtime_error(fmt::format("cannot install the applets: status {}", status));
    }
    // A process that a test forked has it, too, and leaves it alone.
    ~Applets() {
        std::error_code ignored;
        if (::getpid() == owner_) std::filesystem::remove_all(directory_, ignored);
    }
    Applets(const Applets&) = delete;
    Applets& operator=(const Applets&) = delete;

    [[nodiscard]] const std::string& directory() const { return directory_; }

  private:
    std::string program_ = binary(); // before the directory, which would be left if this throws
    std::string directory_ = make_directory();
    pid_t owner_ = ::getpid();
};

} // namespace

std::string binary() {
    return environment("IPCBOX_BINARY");
}

bool eventually(const std::function<bool()>& condition) {
    const Deadline deadline = Deadline::after(limit);
    while (!condition()) {
        if (deadline.passed()) return false;
        ::sched_yield();
    }
    return true;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

bool has_ended(pid_t pid) {
    const auto stat = read_process_stat(pid);
    return !stat || stat->has_ended();
}

bool ends(pid_t pid) {
    return eventually([pid] { return has_ended(pid); });
}

bool is_blocked_in(pid_t pid, long number) {
    const auto path = fmt::format("/proc/{}/syscall", pid);
    const auto text = read_to_end(open_file(path, O_RDONLY).get(), max_output, path);
    return text.starts_with(fmt::format("{} ", number));
}

std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> all;
    const std::filesystem::directory_iterator threads{fmt::format("/proc/{}/task", pid)};
    for (const auto& thread : threads) {
        const auto pids = children(pid, thread.path().filename());
        all.insert(all.end(), pids.begin(), pids.end());
    }
    return all;
}

std::ptrdiff_t count_descriptors(pid_t pid) {
    const std::filesystem::directory_iterator entries{fmt::format("/proc/{}/fd", pid)};
    return std::count_if(begin(entries), end(entries), [](const auto& entry) {
        std::error_code closed;
        const auto link = std::filesystem::read_symlink(entry.path(), closed);
        return !closed && link != "anon_inode:[eventpoll]";
    });
}

std::string Process::next_line(Stream& stream) {
    const Deadline deadline = Deadline::after(limit);
    for (;;) {
        if (const auto end = stream.pending.find('\n'); end != std::string::npos) {
            auto line = stream.pending.substr(0, end);
            stream.pending.erase(0, end + 1);
            return line;
        }
        if (!wait_for(stream.fd.get(), POLLIN, deadline))
            throw std::runtime_error("no line came in 30 s");
        if (!drain(stream.fd.get(), stream.pending)) return std::exchange(stream.pending, {});
    }
}

void Process::send(std::string_view text) {
    write_all(input_.get(), text, "the input of a command", Deadline::after(limit));
}

Result Process::wait() {
    const Deadline deadline = Deadline::after(limit);
    close_input();
    std::array<Stream*, 2> streams{&out_, &err_};
    for (;;) {
        std::array<pollfd, 2> entries{};
        int open = 0;
        for (std::size_t at = 0; at < 2; ++at) {
            entries[at] = {streams[at]->fd.get(), POLLIN, 0}; // poll(2) ignores -1
            if (streams[at]->fd) ++open;
        }
        if (open == 0) break;
        if (poll_until(entries, deadline) == 0)
            throw std::runtime_error(
                fmt::format("still running after 30 s; stderr: {}", err_.pending));
        for (std::size_t at = 0; at < 2; ++at)
            if (entries[at].revents != 0 && !drain(entries[at].fd, streams[at]->pending))
                streams[at]->fd = Fd{};
    }
    const auto status = child_.wait_until(deadline);
    if (!status) throw std::runtime_error("still running after 30 s");
    return {status->as_exit_status(), std::move(out_.pending), std::move(err_.pending)};
}

bool Process::is_running() const {
    return !wait_for(child_.pidfd(), POLLIN, Deadline::after(Duration::zero()));
}

Scenario::Scenario(std::string directory)
    : first_key_(random_key()), directory_(std::move(directory)),
      old_directory_(std::filesystem::current_path().string()), old_path_(environment("PATH")) {}

// After the delegation the destructor runs, even if the rest throws, and undoes what was done.
Scenario::Scenario() : Scenario(make_directory()) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // nohup(1), or a shell for background jobs, makes us ignore these. The commands under test
    // would ignore them too.
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
        std::signal(signal, SIG_DFL);
    // For the same reason, this is a handler and not SIG_IGN.
    std::signal(SIGPIPE, [](int) {});
    // The servers of a test must not be asked through the tester's proxy.
    for (const char* const variable : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                       "ALL_PROXY", "no_proxy", "NO_PROXY"})
        ::unsetenv(variable);
    std::filesystem::create_directory(directory_ + "/work");
    std::filesystem::current_path(directory_ + "/work");
    static const Applets applets;
    ::setenv("PATH", fmt::format("{}:{}", applets.directory(), old_path_).c_str(), 1);
}

Scenario::~Scenario() {
    kill_descendants();
    for (int offset = 0; offset < keys_of_a_test; ++offset) {
        remove_objects(first_key_ + offset);
        remove_objects(sysv::Key::parse(name(offset)).value());
    }
    std::error_code ignored;
    std::filesystem::current_path(old_directory_, ignored);
    std::filesystem::remove_all(directory_, ignored);
    ::setenv("PATH", old_path_.c_str(), 1);
}

std::string Scenario::path(std::string_view name) const {
    return fmt::format("{}/work/{}", directory_, name);
}

std::string Scenario::key(int which) const {
    return fmt::format("{}", first_key_ + which);
}

std::string Scenario::name(int which) const {
    return fmt::format("@test-{}-{}", first_key_, which);
}

Process Scenario::launch(const std::string& program, const Words& words) {
    Pipe input = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    Process process;
    process.child_ =
        spawn(program, words,
              {.input = input.reader.get(), .output = out.writer.get(), .error = err.writer.get()});
    process.input_ = std::move(input.writer);
    process.out_.fd = std::move(out.reader);
    process.err_.fd = std::move(err.reader);
    return process;
}

Process Scenario::start(const Words& words) {
    return launch(words[0] == "ipcbox" ? binary() : find_program(words[0]), words);
}

Result Scenario::run(const Words& words, std::string_view input) {
    return finish(start(words), input);
}

Process Scenario::start_shell(const std::string& script, const Words& arguments) {
    Words words{"sh", "-c", script, "sh"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return launch("/bin/sh", words);
}

Result Scenario::shell(const std::string& script, const Words& arguments, std::string_view input) {
    return finish(start_shell(script, arguments), input);
}

std::string Scenario::read_file(std::string_view name) const {
    return read_to_end(open_file(path(name), O_RDONLY).get(), max_output, name);
}

void Scenario::write_file(std::string_view name, std::string_view text) const {
    const Fd file = open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write_all(file.get(), text, name);
}

std::size_t Scenario::count_files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{path("")}, {}));
}

bool Scenario::exists(std::string_view name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path(name)));
}

} // namespace ipcbox::test
