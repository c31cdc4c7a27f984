#include "dialog/magic_source.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/pipe.h"
#include "core/program.h"
#include "core/shell_words.h"
#include "core/spawn.h"
#include "core/syscall.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::dialog {

namespace {

bool names_place(const std::string& argument) {
    return argument.starts_with('/') || argument.starts_with("./") || argument.starts_with("../");
}

// Whether ARGUMENT is a command. Throws Error when that is not clear.
bool is_command(const std::string& argument, const MagicRules& rules) {
    if (!may_be_command(argument, rules)) return false;
    if (rules.prefers_command || !may_be_file(argument)) return true;
    if (names_place(argument)) return false;
    throw Error(fmt::format("cannot read {0}: a file has this name; write ./{0} for the file, or "
                            "use --exec for the command",
                            argument));
}

} // namespace

bool may_be_file(const std::string& path) {
    struct stat status {};
    if (sys::call("lstat", ::lstat, path.c_str(), &status) == 0) return true;
    return errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG;
}

bool may_be_command(const std::string& argument, const MagicRules& rules) {
    return !rules.is_literal && argument.ends_with('|');
}

MagicSource::MagicSource(const std::string& argument, const MagicRules& rules) : name_(argument) {
    if (is_command(argument, rules))
        start(argument.substr(0, argument.size() - 1), rules);
    else if (argument == "-" && !rules.is_literal)
        name_ = "standard input";
    else
        input_ = open_file(argument, O_RDONLY);
}

void MagicSource::start(std::string text, const MagicRules& rules) {
    std::vector<std::string> words;
    try {
        words = rules.uses_shell ? std::vector<std::string>{"/bin/sh", "-c", std::move(text)}
                                 : shell_words(text);
    } catch (const Error& error) {
        throw Error(fmt::format("cannot run {}: {}, or use --shell", name_, error.what()));
    }
    if (words.empty())
        throw Error(fmt::format("cannot run {}: the command before the | is missing", name_));
    Pipe pipe = make_pipe();
    SpawnPlan plan;
    plan.output = pipe.writer.get();
    plan.death_signal = SIGTERM;
    child_ = spawn(find_program(words.front()), words, plan);
    input_ = std::move(pipe.reader);
    widen_pipe(input_.get());
}

int MagicSource::fd() const {
    return input_ ? input_.get() : STDIN_FILENO;
}

bool MagicSource::feeds_on(int output) const {
    struct stat from {};
    struct stat to {};
    if (sys::call("fstat", ::fstat, fd(), &from) < 0 || !S_ISREG(from.st_mode)) return false;
    if (sys::call("fstat", ::fstat, output, &to) < 0) return false;
    return FileIdentity{from} == FileIdentity{to} &&
           sys::call("lseek", ::lseek, fd(), off_t{0}, SEEK_CUR) < from.st_size;
}

std::optional<WaitStatus> MagicSource::finish() {
    input_ = Fd{};
    if (!child_) return std::nullopt;
    return child_.wait();
}

} // namespace ipcbox::dialog
