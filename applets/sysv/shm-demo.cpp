// shm-demo - pass a message between processes through shared memory
#include "applet.h"
#include "cli/border.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/child.h"
#include "core/signals.h"
#include "sysv/key.h"
#include "sysv/shared_memory.h"

#include <csignal>
#include <cstring>
#include <limits>
#include <unistd.h>

namespace ipcbox {
namespace {

constexpr std::size_t manual_page_size = 2000;

struct Config {
    std::uint64_t size = manual_page_size;
    std::string text = "Message #1";
    std::optional<sysv::Key> key;
    bool keep = false;
    bool json = false;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, ""};
    options.value("--size BYTES", config.size, cli::parse_size,
                  "the size of the segment (default 2000)");
    options.value("--text TEXT", config.text, cli::parse_text,
                  "the message (default \"Message #1\")");
    options.value(
        "--key KEY", config.key, sysv::Key::parse,
        "create the segment under a key: 1234, 0x4d2, ./path or @name (default: private)");
    options.flag("--keep", config.keep, "do not remove the segment");
    options.json(config.json);
    options.note("One process writes the message into a segment of shared memory, and another one "
                 "reads it from there and prints it. shm-demo then removes the segment, and leaves "
                 "nothing behind even if it is killed.");
    options.example("shm-demo", "run the example of the perlipc manual page");
    options.example("shm-demo --keep --key @demo --text hello; shm-read @demo -n 5",
                    "create a segment to experiment with");
    options.parse();
    if (config.size < config.text.size() + 1)
        throw cli::UsageError(fmt::format("--size {}: the message needs {} bytes", config.size,
                                          config.text.size() + 1));
    return config;
}

sysv::SharedMemory create(const Config& config) {
    constexpr mode_t mode = 0600;
    if (!config.key) return sysv::SharedMemory::create_private(config.size, mode);
    auto memory = sysv::SharedMemory::create(*config.key, config.size, mode,
                                             sysv::SharedMemory::Pages::normal);
    if (!memory)
        throw Error(
            fmt::format("cannot create shared memory {}: it exists already", config.key->text()));
    return *std::move(memory);
}

// Removes a segment that we cannot attach, because it is of no use.
sysv::AttachedMemory attach(const sysv::SharedMemory& memory) {
    try {
        return memory.attach(sysv::SharedMemory::Access::read_write);
    } catch (...) {
        memory.remove();
        throw;
    }
}

void write_message(std::span<std::byte> segment, const std::string& text) {
    std::memcpy(segment.data(), text.c_str(), text.size() + 1);
}

void print_message(const sysv::SharedMemory& memory, std::span<const std::byte> segment,
                   const Config& config) {
    const auto* first = reinterpret_cast<const char*>(segment.data());
    const std::string_view text{first, ::strnlen(first, segment.size())};
    if (config.json)
        cli::JsonLine{}
            .set("id", memory.id())
            .set("size", memory.size())
            .set("text", text)
            .set_flag("kept", config.keep)
            .print();
    else
        cli::print_line("{}", text);
}

// Runs STEP in another process, and returns that process's status.
int in_process(const std::function<void()>& step) {
    return fork_child([&, parent = ::getpid()] {
               return cli::guarded([&] {
                   end_with_parent(parent);
                   step();
                   return exit_status::done;
               });
           })
        .wait()
        .as_exit_status();
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    // No signal may end us until the kernel knows that the segment has to go.
    std::optional<BlockedSignals> not_now{all_signals()};
    const auto memory = create(config);
    const auto segment = attach(memory);
    if (!config.keep) memory.remove();
    not_now.reset();

    int status = in_process([&] { write_message(segment.bytes(), config.text); });
    if (status == exit_status::done)
        status = in_process([&] { print_message(memory, segment.bytes(), config); });
    if (status == exit_status::done && !config.json)
        cli::print_line("{} {}", config.keep ? "keeping" : "deleting", memory.id());
    return status;
}

} // namespace

extern constexpr Applet shm_demo{"pass a message between processes through shared memory", run};

} // namespace ipcbox
