#include "front/run_command.h"

#include "core/error.h"
#include "core/fork_retry.h"
#include "core/program.h"
#include "core/signals.h"

#include <new>

namespace ipcbox::front {

Command::Command(std::span<const std::string> words)
    : words_(words), program_(find_program(words.front())) {}

void Command::become() const {
    execute(program_, words_);
}

int run_command(std::span<const std::string> words,
                const std::function<int(const Command&)>& work) {
    try {
        return work(Command{words});
    } catch (const StoppedBySignal& stopped) {
        die_of(stopped.signal());
    } catch (Error& error) {
        if (error.status() == exit_status::failed) error.set_status(exit_status::before_command);
        throw;
    } catch (const std::bad_alloc&) {
        throw Error("out of memory", exit_status::before_command);
    }
}

} // namespace ipcbox::front
