#include "server/handover.h"

#include "core/error.h"
#include "core/io.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/program.h"
#include "core/syscall.h"
#include "core/words.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ipcbox::server {

namespace {

constexpr auto variable = "IPCBOX_SERVER_STATE"; // "PID DESCRIPTOR ATTEMPT"
constexpr std::size_t max_state = 64UL * 1024 * 1024;
constexpr std::string_view object = "the state that our former image left";
// Each pause is twice as long as the one before: 3 s in all.
constexpr int max_attempts = 6;
constexpr auto first_pause = std::chrono::milliseconds{100};

// Marks a path that is too long for a sockaddr. (A sockaddr begins with the number of its family
// instead.)
constexpr char long_path_mark = '/';

// Any bytes, written as one word.
std::string as_hex(std::string_view bytes) {
    std::string text = "x";
    for (const char byte : bytes)
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

// The words of a line, one after the other.
class Words {
  public:
    explicit Words(std::string_view line) : left_(line) {}

    std::string_view next() { return take_until(left_, ' '); }

    template <class Number> Number number() {
        const auto value = whole_number<Number>(next());
        if (!value) throw Error(fmt::format("cannot read {}: not a number", object));
        return *value;
    }
    std::string bytes() {
        auto digits = next().substr(1);
        std::string text;
        for (; digits.size() >= 2; digits.remove_prefix(2))
            text +=
                static_cast<char>(whole_number<unsigned char>(digits.substr(0, 2), 16).value_or(0));
        return text;
    }
    net::Address address() {
        const auto raw = bytes();
        if (raw.starts_with(long_path_mark)) return net::Address::unix_path(raw.substr(1));
        sockaddr_storage storage{};
        std::memcpy(&storage, raw.data(), std::min(raw.size(), sizeof storage));
        return {storage, static_cast<socklen_t>(std::min(raw.size(), sizeof storage))};
    }

  private:
    std::string_view left_;
};

std::string as_hex(const net::Address& address) {
    if (address.is_long_path()) return as_hex(long_path_mark + address.host());
    return as_hex({reinterpret_cast<const char*>(address.data()), address.size()});
}

// ---- A connection, as the words of a line

std::string words_of(const OpenConnection& open) {
    const auto& connection = open.told;
    const auto credentials = connection.credentials.value_or(net::PeerCredentials{});
    auto words = fmt::format(
        "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", connection.pid, open.socket.get(),
        connection.started.time_since_epoch().count(), as_hex(open.place.network()),
        as_hex(open.place.client()), as_hex(connection.peer), as_hex(connection.local),
        connection.is_peer_the_client ? 1 : 0, as_hex(connection.peer_name), connection.number,
        connection.header_bytes, connection.credentials.has_value() ? 1 : 0, credentials.pid,
        credentials.uid, credentials.gid, open.variables.size());
    for (const auto& entry : open.variables)
        words += ' ' + as_hex(entry);
    return words;
}

OpenConnection connection_of(Words& words) {
    OpenConnection open;
    auto& connection = open.told;
    connection.pid = words.number<pid_t>();
    if (const int socket = words.number<int>(); socket >= 0) {
        open.socket = Fd::adopt(socket);
        set_across_exec(open.socket, AcrossExec::close);
    }
    const Deadline::Clock::duration since{words.number<Deadline::Clock::rep>()};
    connection.started = Deadline::Clock::time_point{since};
    auto network = words.bytes();
    auto client = words.bytes();
    open.place = Place::left(std::move(network), std::move(client));
    connection.peer = words.address();
    connection.local = words.address();
    connection.is_peer_the_client = words.number<int>() == 1;
    connection.peer_name = words.bytes();
    connection.number = words.number<unsigned>();
    connection.header_bytes = words.number<std::size_t>();
    const bool has_credentials = words.number<int>() == 1;
    const net::PeerCredentials credentials{words.number<pid_t>(), words.number<uid_t>(),
                                           words.number<gid_t>()};
    if (has_credentials) connection.credentials = credentials;
    for (auto count = words.number<std::size_t>(); count > 0; --count)
        open.variables.push_back(words.bytes());
    return open;
}

// "child INODE SIGNAL STATUS …". SIGNAL is the one that killed the child: 0 for none, and -1 while
// the child runs.
std::string line_of(const ServedChild& child) {
    const auto status = child.status.value_or(WaitStatus::exited(0));
    return fmt::format("child {} {} {} {}\n", child.socket_inode,
                       child.status ? status.signal() : -1, status.as_exit_status(),
                       words_of(child.connection));
}

ServedChild child_of(Words& words) {
    ServedChild child;
    child.socket_inode = words.number<ino_t>();
    const int signal = words.number<int>();
    const int status = words.number<int>();
    if (signal >= 0)
        child.status = signal > 0 ? WaitStatus::killed(signal, false) : WaitStatus::exited(status);
    child.connection = connection_of(words);
    return child;
}

// The kernel's 64 signals; the C library's type has room for more.
std::uint64_t number_of(const sigset_t& signals) {
    std::uint64_t bits = 0;
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
        if (sigismember(&signals, signal) == 1) bits |= std::uint64_t{1} << (signal - 1);
    return bits;
}
sigset_t signals_of(std::uint64_t bits) {
    sigset_t signals = signal_set({});
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
        if ((bits >> (signal - 1) & 1) != 0) sigaddset(&signals, signal);
    return signals;
}

// A file with TEXT. Our next image inherits it.
Fd make_memory_file(std::string_view text) {
    const int number = sys::call("memfd_create", ::memfd_create, "ipcbox-server", MFD_CLOEXEC);
    if (number < 0) throw SysError("make", "a memory file");
    Fd file = Fd::adopt(number);
    write_all(file.get(), text, "a memory file");
    if (sys::call("lseek", ::lseek, file.get(), off_t{0}, SEEK_SET) < 0)
        throw SysError("rewind", "a memory file");
    return file;
}

void set_all_across_exec(AcrossExec fate, const std::vector<net::Listener>& listeners,
                         const Inheritance& left) {
    for (const auto& listener : listeners) {
        if (listener.socket) set_across_exec(listener.socket, fate);
        if (!listener.file) continue;
        fate == AcrossExec::keep ? listener.file->keep_across_exec()
                                 : listener.file->close_on_exec();
    }
    const auto set = [fate](const OpenConnection& connection) {
        if (connection.socket) set_across_exec(connection.socket, fate);
    };
    for (const auto* stage : {&left.guests, &left.unserved})
        std::ranges::for_each(*stage, set);
    std::ranges::for_each(left.children, set, &ServedChild::connection);
}

std::string state_of(const std::vector<net::Listener>& listeners, ServedChildren& children,
                     const Inheritance& waiting, const std::string& unwritten) {
    std::string text =
        fmt::format("signals {}\nserved {}\nunwritten {}\n", number_of(inherited_signals()),
                    waiting.served, as_hex(unwritten));
    for (const auto& listener : listeners) {
        text += fmt::format("listener {}\n", listener.socket.get());
        if (listener.file) text += fmt::format("file {}\n", as_hex(listener.file->state()));
    }
    for (const auto& guest : waiting.guests)
        text += fmt::format("guest {}\n", words_of(guest));
    for (const auto& connection : waiting.unserved)
        text += fmt::format("unserved {}\n", words_of(connection));
    children.for_each([&text](const ServedChild& child) { text += line_of(child); });
    return text;
}

void read_line(Words words, Handover& state) {
    const auto what = words.next();
    auto& listeners = state.listeners;
    auto& connections = state.connections;
    if (what == "signals")
        correct_inherited_signals(signals_of(words.number<std::uint64_t>()));
    else if (what == "served")
        connections.served = words.number<std::uint64_t>();
    else if (what == "unwritten")
        state.unwritten = words.bytes();
    else if (what == "listener") {
        auto& listener = listeners.emplace_back();
        listener.socket = Fd::adopt(words.number<int>());
        const bool is_unix = net::local_address(listener.socket.get()).is_unix();
        net::use_inherited(listener,
                           is_unix ? net::ListenerKind::unix_domain : net::ListenerKind::tcp);
    } else if (what == "file" && !listeners.empty())
        net::attach_file(listeners.back(), net::UnixSocketFile::resume(words.bytes()));
    else if (what == "guest")
        connections.guests.push_back(connection_of(words));
    else if (what == "unserved")
        connections.unserved.push_back(connection_of(words));
    else if (what == "child")
        connections.children.push_back(child_of(words));
}

// Executes our next image, which reads FILE. Throws Error.
[[noreturn]] void execute_next(const OwnCommand& next, const Fd& file, int attempt) {
    if (next.program.empty()) throw Error("cannot restart: without /proc, our program has no path");
    set_across_exec(file, AcrossExec::keep);
    ::setenv(variable, fmt::format("{} {} {}", ::getpid(), file.get(), attempt).c_str(), 1);
    // After --user, we may not be allowed into a directory on our own path.
    const bool is_out_of_reach =
        sys::call("faccessat", ::faccessat, AT_FDCWD, next.program.c_str(), X_OK, AT_EACCESS) < 0 &&
        errno == EACCES;
    execute_with_signals_blocked(is_out_of_reach ? next.file : next.program, next.arguments);
}

} // namespace

void Handover::take_over() {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return;
    Words owner{text};
    const auto pid = whole_number<pid_t>(owner.next());
    const auto number = whole_number<int>(owner.next());
    attempt_ = whole_number<int>(owner.next()).value_or(attempt_);
    ::unsetenv(variable);
    if (pid != ::getpid() || !number) return;
    state_ = Fd::adopt(*number);
    const auto lines = read_to_end(state_.get(), max_state, object);
    for (std::string_view left = lines; !left.empty();)
        read_line(Words{take_until(left, '\n')}, *this);
}

void Handover::start_again(const OwnCommand& next, const std::function<void()>& report) {
    if (!state_ || attempt_ == max_attempts) return;
    report();
    (void)poll_until({}, Deadline::after(first_pause * (1 << (attempt_ - 1))));
    sys::call("lseek", ::lseek, state_.get(), off_t{0}, SEEK_SET);
    set_all_across_exec(AcrossExec::keep, listeners, connections);
    try {
        execute_next(next, state_, attempt_ + 1);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): the first reason is the better one
    }
}

void Handover::hand_over(const OwnCommand& next, const std::vector<net::Listener>& listeners,
                         Server& server, const std::string& unwritten) {
    auto& children = server.children();
    auto waiting = server.lend_waiting();
    const auto set_children = [&children](AcrossExec fate) {
        children.for_each([fate](const ServedChild& child) {
            if (child.connection.socket) set_across_exec(child.connection.socket, fate);
        });
    };
    try {
        const Fd file = make_memory_file(state_of(listeners, children, waiting, unwritten));
        set_all_across_exec(AcrossExec::keep, listeners, waiting);
        set_children(AcrossExec::keep);
        execute_next(next, file, 1);
    } catch (const Error&) {
        ::unsetenv(variable);
        set_all_across_exec(AcrossExec::close, listeners, waiting);
        set_children(AcrossExec::close);
        server.put_back(std::move(waiting));
        throw;
    }
}

OwnCommand own_command(std::vector<std::string> called_as) {
    OwnCommand command{path_of_execution(), {}, {}};
    try {
        command.file = own_program();
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): hand_over() reports it
    }
    if (command.program.empty()) command.program = command.file;
    try {
        const Fd file = open_file("/proc/self/cmdline", O_RDONLY);
        const auto words = read_to_end(file.get(), max_state, "our own command line");
        for (std::string_view left = words; !left.empty();)
            command.arguments.emplace_back(take_until(left, '\0'));
    } catch (const SysError&) {
        command.arguments = std::move(called_as);
    }
    return command;
}

} // namespace ipcbox::server
