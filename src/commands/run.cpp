#include "commands/run.h"

#include "core/child.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/privileges.h"
#include "core/program.h"
#include "core/spawn.h"
#include "core/syscall.h"
#include "core/user.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

namespace ipcbox::commands {

namespace {

// One of the places of a command. It is a lock of our process (fcntl(2), F_SETLK) on one byte of a
// file, and becomes free when this object or our process ends.
class RunPlace {
  public:
    RunPlace(int file, std::size_t index, unsigned places) : file_(file) {
        for (unsigned number = 0; number < places && byte_ < 0; ++number) {
            const auto byte = static_cast<off_t>(index * Language::max_concurrency + number);
            if (lock(byte, F_WRLCK)) byte_ = byte;
        }
    }
    ~RunPlace() {
        if (byte_ >= 0) (void)lock(byte_, F_UNLCK);
    }
    RunPlace(const RunPlace&) = delete;
    RunPlace& operator=(const RunPlace&) = delete;

    explicit operator bool() const { return byte_ >= 0; }

  private:
    [[nodiscard]] bool lock(off_t byte, short kind) const {
        struct flock wanted {};
        wanted.l_type = kind;
        wanted.l_whence = SEEK_SET;
        wanted.l_start = byte;
        wanted.l_len = 1;
        const auto set = [](int file, const struct flock* how) {
            return ::fcntl(file, F_SETLK, how);
        };
        const struct flock* const how = &wanted;
        return sys::call("fcntl", set, file_, how) == 0;
    }

    int file_;
    off_t byte_ = -1;
};

Child start(const Command& command, const std::vector<std::string>& words,
            const Surroundings& surroundings, const Pipe& output) {
    Environment environment = surroundings.environment;
    environment.set_all(command.environment);
    const auto program = find_program(words.front());
    const Fd null = open_file("/dev/null", O_RDONLY);
    SpawnPlan plan;
    plan.input = null.get();
    plan.output = plan.error = output.writer.get();
    plan.group = ProcessGroup::own;
    plan.death_signal = SIGKILL;
    plan.environment = &environment.entries();
    Credentials credentials;
    if (!command.user.empty()) {
        const auto user = find_user(command.user);
        if (!user) throw Error(fmt::format("cannot find the user {}", command.user));
        credentials = credentials_of(user->uid, user->gid, user->name);
        if (user->uid != ::geteuid()) plan.user = &credentials;
    }
    return spawn(program, words, plan);
}

// A command while it runs.
class Run {
  public:
    Run(const Command& command, const std::vector<std::string>& words,
        const Surroundings& surroundings, const std::function<void(std::string_view)>& sink)
        : command_(command), surroundings_(surroundings), sink_(sink),
          deadline_(Deadline::after_or_never(command.timeout)), output_(make_pipe()),
          child_(start(command, words, surroundings, output_)) {
        output_.writer = Fd{};
        set_nonblocking(output_.reader);
    }
    ~Run() {
        if (child_) ::ipcbox::kill_group(child_.pid(), SIGKILL);
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    Outcome finish() {
        while (!work()) {
        }
        ::ipcbox::kill_group(child_.pid(), SIGKILL);
        const auto status = child_.wait();
        child_ = Child{};
        if (outcome_.end == Outcome::End::ended) outcome_.status = status.as_exit_status();
        return outcome_;
    }

  private:
    using End = Outcome::End;

    // True when the run is over.
    bool work() {
        std::array entries{pollfd{has_ended_output_ ? -1 : output_.reader.get(), POLLIN, 0},
                           pollfd{child_.pidfd(), POLLIN, 0}, pollfd{surroundings_.client, 0, 0},
                           pollfd{surroundings_.signals.fd(), POLLIN, 0}};
        if (poll_until(entries, deadline_) == 0)
            return over(End::timed_out, exit_status::timed_out);
        if (entries[3].revents != 0) return over(End::stopped, 128 + SIGTERM);
        if ((entries[2].revents & (POLLHUP | POLLERR)) != 0)
            return over(End::client_gone, 128 + SIGPIPE);
        // When the command has ended, the pipe has all of its output.
        const bool has_ended = entries[1].revents != 0;
        if (!collect(has_ended)) return over(End::wrote_too_much, 128 + SIGKILL);
        if (deadline_.passed() && !has_ended) return over(End::timed_out, exit_status::timed_out);
        return has_ended;
    }

    bool over(End end, int status) {
        outcome_.end = end;
        outcome_.status = status;
        return true;
    }

    // Reads the bytes that have come. False when the command has written too many.
    bool collect(bool all) {
        std::array<char, 16UL * 1024> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
        do {
            if (has_ended_output_) return true;
            const auto left = command_.max_output - outcome_.bytes;
            const auto read = read_available(buffer);
            if (read == 0) return true;
            const auto taken = std::min<std::size_t>(read, left);
            outcome_.bytes += taken;
            if (taken > 0) sink_({buffer.data(), taken});
            if (taken < read) return false;
        } while (all);
        return true;
    }

    // 0 when no byte is there now.
    std::size_t read_available(std::span<char> into) {
        if (!wait_for(output_.reader.get(), POLLIN, Deadline::after(Duration{}))) return 0;
        const auto read =
            read_some(output_.reader.get(), std::as_writable_bytes(into), "the command's output");
        has_ended_output_ = read == 0;
        return read;
    }

    const Command& command_;
    const Surroundings& surroundings_;
    const std::function<void(std::string_view)>& sink_;
    Deadline deadline_;
    Pipe output_;
    Child child_;
    bool has_ended_output_ = false;
    Outcome outcome_;
};

} // namespace

Outcome run(const Command& command, std::size_t index, const std::vector<std::string>& words,
            const Surroundings& surroundings, const std::function<void(std::string_view)>& sink) {
    const RunPlace place{surroundings.places, index, command.concurrency};
    if (command.concurrency > 0 && !place) return {Outcome::End::busy, exit_status::failed, 0};
    if (command.rate && !surroundings.rates.allows(index, *command.rate))
        return {Outcome::End::too_often, exit_status::failed, 0};
    return Run{command, words, surroundings, sink}.finish();
}

} // namespace ipcbox::commands
