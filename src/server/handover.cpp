#include "server/handover.h"

#include "core/error.h"
#include "core/io.h"
#include "core/number.h"
#include "core/program.h"
#include "core/syscall.h"
#include "core/words.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ipcbox::server {

namespace {

constexpr auto variable = "IPCBOX_SERVER_STATE"; // "PID DESCRIPTOR"
constexpr std::size_t most_state = 64UL * 1024 * 1024;
constexpr std::string_view object = "the state of our former self";

// Before a path that is too long for a sockaddr, which begins with the number of its family.
constexpr char long_path_mark = '/';

// Any bytes as a word.
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
    [[nodiscard]] std::string_view rest() const { return left_; }

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

std::string line_of(const ServedChild& child) {
    const auto& connection = child.connection;
    const auto credentials = connection.credentials.value_or(net::PeerCredentials{});
    return fmt::format("child {} {} {} {} {} {} {} {} {} {} {}\n", connection.pid,
                       child.socket.get(), connection.started.time_since_epoch().count(),
                       as_hex(child.network), as_hex(connection.peer), as_hex(connection.local),
                       as_hex(connection.peer_name), connection.credentials.has_value() ? 1 : 0,
                       credentials.pid, credentials.uid, credentials.gid);
}

ServedChild child_of(Words words) {
    ServedChild child;
    auto& connection = child.connection;
    connection.pid = words.number<pid_t>();
    if (const int socket = words.number<int>(); socket >= 0) {
        child.socket = Fd::adopt(socket);
        set_across_exec(child.socket, AcrossExec::close);
    }
    const Deadline::Clock::duration since{words.number<Deadline::Clock::rep>()};
    connection.started = Deadline::Clock::time_point{since};
    child.network = words.bytes();
    connection.peer = words.address();
    connection.local = words.address();
    connection.peer_name = words.bytes();
    if (words.number<int>() == 1)
        connection.credentials = {words.number<pid_t>(), words.number<uid_t>(),
                                  words.number<gid_t>()};
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

// A file with TEXT that our next image inherits.
Fd make_memory_file(std::string_view text) {
    const int number = sys::call("memfd_create", ::memfd_create, "ipcbox-server", MFD_CLOEXEC);
    if (number < 0) throw SysError("make", "a memory file");
    Fd file = Fd::adopt(number);
    write_all(file.get(), text, "a memory file");
    if (sys::call("lseek", ::lseek, file.get(), off_t{0}, SEEK_SET) < 0)
        throw SysError("rewind", "a memory file");
    set_across_exec(file, AcrossExec::keep);
    return file;
}

void set_all_across_exec(AcrossExec fate, const std::vector<net::Listener>& listeners,
                         ServedChildren& children) {
    for (const auto& listener : listeners) {
        set_across_exec(listener.socket, fate);
        if (!listener.file) continue;
        fate == AcrossExec::keep ? listener.file->keep_across_exec()
                                 : listener.file->close_on_exec();
    }
    children.for_each([fate](const ServedChild& child) {
        if (child.socket) set_across_exec(child.socket, fate);
    });
}

} // namespace

std::optional<ServerState> ServerState::take_over(net::ListenerKind kind) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    Words owner{text};
    const auto pid = whole_number<pid_t>(owner.next());
    const auto number = whole_number<int>(owner.next());
    ::unsetenv(variable);
    if (pid != ::getpid() || !number) return std::nullopt;
    const Fd file = Fd::adopt(*number);
    const auto lines = read_to_end(file.get(), most_state, object);
    ServerState state;
    for (std::string_view left = lines; !left.empty();) {
        Words words{take_until(left, '\n')};
        const auto what = words.next();
        if (what == "signals")
            correct_inherited_signals(signals_of(words.number<std::uint64_t>()));
        else if (what == "listener")
            state.listeners.push_back(net::inherited_listener(words.number<int>(), kind));
        else if (what == "file" && !state.listeners.empty())
            net::attach_file(state.listeners.back(), net::UnixSocketFile::resume(words.rest()));
        else if (what == "child")
            state.children.push_back(child_of(words));
    }
    return state;
}

void ServerState::hand_over(const OwnCommand& next, const std::vector<net::Listener>& listeners,
                            ServedChildren& children) {
    std::string text = fmt::format("signals {}\n", number_of(inherited_signals()));
    for (const auto& listener : listeners) {
        text += fmt::format("listener {}\n", listener.socket.get());
        if (listener.file) text += fmt::format("file {}\n", listener.file->state());
    }
    children.for_each([&text](const ServedChild& child) { text += line_of(child); });
    const Fd file = make_memory_file(text);
    try {
        set_all_across_exec(AcrossExec::keep, listeners, children);
        ::setenv(variable, fmt::format("{} {}", ::getpid(), file.get()).c_str(), 1);
        execute_with_signals_blocked(next.program, next.arguments);
    } catch (const Error&) {
        ::unsetenv(variable);
        set_all_across_exec(AcrossExec::close, listeners, children);
        throw;
    }
}

OwnCommand own_command() {
    OwnCommand command{own_program(), {}};
    const Fd file = open_file("/proc/self/cmdline", O_RDONLY);
    const auto words = read_to_end(file.get(), most_state, "our own command line");
    for (std::string_view left = words; !left.empty();)
        command.arguments.emplace_back(take_until(left, '\0'));
    return command;
}

} // namespace ipcbox::server
