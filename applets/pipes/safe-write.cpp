// safe-write - write a file, or feed a program, with the rights of a user
#include "applet.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/cleanup_on_signal.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/file_identity.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/path.h"
#include "core/privileges.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/stream_copy.h"
#include "core/syscall.h"
#include "core/user.h"
#include "core/whole_file.h"
#include "front/run_command.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <limits>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {
namespace {

constexpr std::string_view input = "standard input";

struct Config {
    std::string file;
    std::optional<cli::Owner> user;
    WholeFilePlan plan{.link = WholeFilePlan::Link::refuse};
    bool appends = false;
    std::optional<std::uint64_t> max_size;
    bool any_directory = false;
    bool keep_environment = false;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

void check(const Config& config) {
    const bool has_command = !config.command.empty();
    if (config.file.empty() != has_command)
        throw cli::UsageError("expected a FILE, or -- and a COMMAND");
    if (has_command &&
        (config.appends || config.plan.mode || config.any_directory || config.max_size ||
         config.plan.existing != WholeFilePlan::Existing::replace))
        throw cli::UsageError("the options for a file cannot be combined with a COMMAND");
    if (!has_command && config.keep_environment)
        throw cli::UsageError("--keep-env needs a COMMAND");
    if (config.appends &&
        (config.plan.mode || config.plan.existing != WholeFilePlan::Existing::replace))
        throw cli::UsageError("--append cannot be combined with --mode, --no-clobber or --backup");
}

Config parse(const Invocation& invocation) {
    Config config;
    bool no_clobber = false;
    bool backup = false;
    cli::Options options{invocation, "FILE | -- COMMAND [ARGUMENT...]"};
    options.operand("FILE", config.file, cli::parse_file,
                    "the file to which standard input is written");
    options.command(config.command);
    options.value("-u,--user USER[:GROUP]", config.user, cli::parse_owner,
                  "become this user before opening the file or running COMMAND");
    options.value("-m,--mode MODE", config.plan.mode, cli::parse_mode,
                  "the permissions of the file, in octal (default: those of the old file, or 666 "
                  "minus the umask)");
    options.flag("-a,--append", config.appends,
                 "append to the file; if that fails, truncate it to its old size");
    options.flag("-n,--no-clobber", no_clobber, "fail if the file exists");
    options.flag("-b,--backup", backup, "keep the old file as FILE~");
    options.value("--max-size SIZE", config.max_size, cli::parse_size,
                  "fail if the input is larger than SIZE, and leave the file unchanged");
    options.flag("--any-directory", config.any_directory,
                 "let root write into a directory that another user can change");
    options.flag("--keep-env", config.keep_environment, "pass the whole environment to COMMAND");
    options.note("safe-write replaces FILE once all of the input is on disk. If anything fails "
                 "before that, FILE stays unchanged. safe-write refuses a FILE that is a symbolic "
                 "link, a FIFO or a device, or that the user may not write.");
    options.example("report | safe-write -u alice /home/alice/report",
                    "as root, write only where alice may write");
    options.example("report | safe-write -u nobody -- mail -s report admin",
                    "run a command that cannot become root again");
    config.verbosity = options.parse();
    if (no_clobber && backup) throw cli::UsageError("--no-clobber and --backup cannot be combined");
    if (no_clobber) config.plan.existing = WholeFilePlan::Existing::keep;
    if (backup) config.plan.existing = WholeFilePlan::Existing::back_up;
    check(config);
    return config;
}

// Refuses a directory where another user could exchange the files: that user could lead root
// anywhere.
void check_directory(const Config& config) {
    if (config.user || config.any_directory || ::geteuid() != 0) return;
    const auto path = directory_of(config.file);
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) throw SysError("inspect", path);
    const bool is_open =
        (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0;
    if (status.st_uid != 0 || is_open)
        throw Error(fmt::format("cannot write {}: other users can change {}; become its owner with "
                                "-u {}, or use --any-directory",
                                config.file, path, user_name(status.st_uid)));
}

std::uint64_t copy_input(int to, const Config& config) {
    constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max() - 1;
    const auto max_size = std::min(config.max_size.value_or(no_limit), no_limit);
    const auto size = copy_stream(STDIN_FILENO, to, max_size + 1, {input, config.file});
    if (size > max_size)
        throw Error(fmt::format("cannot write {}: there are more than {} bytes of input",
                                config.file, max_size));
    return size;
}

std::uint64_t replace_file(const Config& config, SignalFd& signals) {
    WholeFile file{config.file, config.plan};
    const auto size = [&] {
        const CleanupOnSignal cleanup{signals, [&file] { file.discard(); }};
        return copy_input(file.fd(), config);
    }();
    file.commit();
    return size;
}

// Holds a lock, so that no other safe-write appends to text that we may have to cut off again.
std::uint64_t append_to_file(const Config& config, SignalFd& signals) {
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    const Fd file = open_file(config.file, flags, new_file_mode);
    (void)lock_until(file.get(), LockKind::exclusive, Deadline::never(), config.file);
    struct stat before {};
    sys::call("fstat", ::fstat, file.get(), &before);
    if (!S_ISREG(before.st_mode))
        throw Error(fmt::format("cannot write {}: it is not a regular file", config.file));
    // Refuse a file that is also our input. We would read for ever what we have just written.
    struct stat read {};
    if (sys::call("fstat", ::fstat, STDIN_FILENO, &read) == 0 &&
        FileIdentity{read} == FileIdentity{before})
        throw Error(fmt::format("cannot write {}: it is also the input", config.file));
    const auto cut_back = [&] { set_file_size(file.get(), before.st_size, config.file); };
    try {
        const CleanupOnSignal cleanup{signals, cut_back};
        const auto size = copy_input(file.get(), config);
        sync_file(file.get(), config.file);
        return size;
    } catch (...) {
        cut_back();
        throw;
    }
}

int write_file(const Config& config) {
    if (config.user) become_user(config.user->uid, config.user->gid, config.user->name);
    check_directory(config);
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    const HarmlessWriteSignals file_limit{SIGXFSZ}; // beyond the limit, leave the file as it was
    const auto size =
        config.appends ? append_to_file(config, signals) : replace_file(config, signals);
    if (config.verbosity.verbose) cli::diagnose(fmt::format("{} bytes written", size));
    return exit_status::done;
}

// Only the variables that describe the user and the language.
std::vector<std::string> clean_environment(const User& user) {
    Environment environment = Environment::ours();
    environment.remove_if([](std::string_view name) {
        return name != "TERM" && name != "TZ" && name != "LANG" && !name.starts_with("LC_");
    });
    environment.set("PATH=/usr/local/bin:/usr/bin:/bin");
    environment.set("HOME=" + (user.home.empty() ? "/" : user.home));
    environment.set("USER=" + user.name);
    environment.set("LOGNAME=" + user.name);
    environment.set("SHELL=" + (user.shell.empty() ? "/bin/sh" : user.shell));
    return environment.entries();
}

[[noreturn]] void become_command(const Config& config, const front::Command& command) {
    const uid_t uid = config.user ? config.user->uid : ::getuid();
    const auto user = find_user(uid).value_or(User{fmt::format("{}", uid), uid, 0, {}, {}, {}});
    const auto environment = clean_environment(user);
    if (config.user) become_user(config.user->uid, config.user->gid, config.user->name);
    const auto forbid = [](unsigned long on) {
        return ::prctl(PR_SET_NO_NEW_PRIVS, on, 0UL, 0UL, 0UL);
    };
    if (sys::call("prctl", forbid, 1UL) < 0) throw SysError("give up", "new privileges");
    close_descriptors_except(Fd{});
    restore_inherited_signals();
    PreparedProgram program{command.program(), command.words(),
                            config.keep_environment ? nullptr : &environment};
    throw_exec_error(command.program(), program.execute());
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.command.empty()) return write_file(config);
    return front::run_command(config.command, [&config](const front::Command& command) -> int {
        become_command(config, command);
    });
}

} // namespace

extern constexpr Applet safe_write{"write a file as a given user, completely or not at all", run};

} // namespace ipcbox
