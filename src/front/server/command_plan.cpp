#include "front/server/command_plan.h"

#include "core/io.h"
#include "core/number.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "core/words.h"

#include <csignal>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_plan = 4UL * 1024 * 1024;

void put(std::string& into, std::string_view text) {
    into += fmt::format("{}:", text.size());
    into += text;
}

void put(std::string& into, std::size_t number) {
    put(into, fmt::format("{}", number));
}

// Takes the pieces one by one, in their order.
class Reader {
  public:
    explicit Reader(std::string_view text) : left_(text) {}

    std::string text() {
        const auto size = whole_number<std::size_t>(take_until(left_, ':'));
        if (!size || *size > left_.size())
            throw Error("cannot serve: the plan is not from the server");
        std::string piece{left_.substr(0, *size)};
        left_.remove_prefix(*size);
        return piece;
    }
    std::size_t number() { return whole_number<std::size_t>(text()).value_or(0); }

  private:
    std::string_view left_;
};

} // namespace

commands::Language CommandPlan::language() const {
    auto language = commands::Language::parse(text, file);
    for (const auto& definition : definitions)
        language.add(definition, "--command");
    return language;
}

Fd CommandPlan::to_memory() const {
    std::string all(commands::Rates::size, '\0');
    put(all, server);
    put(all, file);
    put(all, text);
    put(all, definitions.size());
    for (const auto& definition : definitions)
        put(all, definition);
    put(all, token);
    put(all, idle ? static_cast<std::size_t>(idle->count()) : 0);
    put(all, max_line);
    for (const bool flag : {loose, json, without_builtins, logs})
        put(all, flag ? 1UL : 0UL);
    // The limit of a file's size (ulimit -f) holds for this one too.
    const HarmlessWriteSignals harmless{SIGXFSZ};
    Fd memory = Fd::adopt(
        sys::call("memfd_create", ::memfd_create, "ipcbox-commands", unsigned{MFD_CLOEXEC}));
    if (!memory) throw SysError("create", "a memory file");
    write_all(memory.get(), all, "a memory file");
    return memory;
}

CommandPlan CommandPlan::from_memory(int file) {
    std::string all;
    // Read at explicit positions, because all sessions share the offset of the file.
    for (std::size_t got = 1; got > 0 && all.size() < max_plan;) {
        const auto before = all.size();
        all.resize(before + 64UL * 1024);
        const auto result =
            sys::call("pread", ::pread, file, all.data() + before, all.size() - before,
                      static_cast<off_t>(commands::Rates::size + before));
        if (result < 0 && errno != EINTR) throw SysError("read", "the server's plan");
        got = result < 0 ? 1 : static_cast<std::size_t>(result);
        all.resize(before + (result < 0 ? 0 : got));
    }
    Reader reader{all};
    CommandPlan plan;
    plan.server = reader.text();
    plan.file = reader.text();
    plan.text = reader.text();
    for (auto left = reader.number(); left > 0; --left)
        plan.definitions.push_back(reader.text());
    plan.token = reader.text();
    if (const auto idle = reader.number(); idle > 0)
        plan.idle = Duration{static_cast<Duration::rep>(idle)};
    plan.max_line = reader.number();
    for (bool* const flag : {&plan.loose, &plan.json, &plan.without_builtins, &plan.logs})
        *flag = reader.number() != 0;
    return plan;
}

} // namespace ipcbox::front
