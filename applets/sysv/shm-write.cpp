// shm-write - copy standard input into shared memory
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/bulk_copy.h"
#include "core/cleanup_on_signal.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/signals.h"
#include "sysv/key.h"
#include "sysv/ring.h"
#include "sysv/shared_memory.h"

#include <algorithm>
#include <limits>
#include <unistd.h>

namespace ipcbox {
namespace {

constexpr std::string_view input = "standard input";

struct Config {
    std::optional<sysv::Key> key;
    std::optional<int> id;
    std::optional<std::uint64_t> offset;
    bool truncate = false;
    bool create = false;
    std::optional<std::uint64_t> size;
    std::optional<mode_t> mode;
    bool huge = false;
    bool stream = false;
    std::optional<Duration> wait;
    bool json = false;
    cli::Verbosity verbosity;
};

void check(const Config& config) {
    if (config.key.has_value() == config.id.has_value())
        throw cli::UsageError("expected a KEY or --id ID");
    if ((config.stream || config.create) && !config.key)
        throw cli::UsageError("--create and --stream need a KEY");
    if (!config.create && (config.size || config.mode || config.huge))
        throw cli::UsageError("--size, --mode and --huge need --create");
    if (config.wait && !config.stream) throw cli::UsageError("--wait needs --stream");
    if (config.stream && (config.create || config.offset || config.truncate))
        throw cli::UsageError("--stream cannot be combined with --create, --offset or --truncate");
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, "1234, 0x4d2, ./path or @name");
    options.value("--id ID", config.id, cli::number_between(0, std::numeric_limits<int>::max()),
                  "write the segment with this id, instead of a key");
    options.value("-o,--offset BYTES", config.offset, cli::parse_size,
                  "begin at this byte of the segment (default 0)");
    options.flag("--truncate", config.truncate,
                 "fill the rest of the segment after the input with zero bytes");
    options.flag("--create", config.create, "create the segment if it is missing");
    options.value(
        "--size BYTES", config.size, cli::parse_size,
        "with --create: the size of the segment (default: that of the file on standard input)");
    options.value("-m,--mode MODE", config.mode, cli::parse_mode,
                  "with --create: the segment's permissions, in octal (default 600)");
    options.flag("--huge", config.huge, "with --create: use huge pages");
    options.flag("--stream", config.stream, "write a stream for shm-read --stream KEY");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "with --stream: wait at most DURATION for the reader");
    options.json(config.json);
    options.note("If the input does not fit, shm-write fails, and the rest stays in the pipe.");
    options.example("shm-write --create --size 4K --truncate @state < state.json",
                    "create the segment, or replace its content");
    options.example("shm-write --stream @feed < big.img", "pass data to shm-read in another shell");
    config.verbosity = options.parse();
    check(config);
    return config;
}

enum class Origin { found, created };

constexpr mode_t owner_only = 0600;

// While we fill the segment, its owner must be able to read and write it, whatever its final mode
// is.
mode_t mode_while_filling(const Config& config) {
    return config.mode.value_or(owner_only) | owner_only;
}

// Opens the segment to write into. Uses an existing one only if it has the requested size.
std::pair<sysv::SharedMemory, Origin> open_segment(const Config& config) {
    if (config.id) return {sysv::SharedMemory::with_id(*config.id), Origin::found};
    if (!config.create) return {sysv::SharedMemory::open(*config.key), Origin::found};
    const auto left = bytes_left(STDIN_FILENO);
    if (!config.size && !left)
        throw cli::UsageError("--create needs --size if standard input is not a file");
    const auto size = config.size.value_or(config.offset.value_or(0) + left.value_or(0));
    const auto pages =
        config.huge ? sysv::SharedMemory::Pages::huge : sysv::SharedMemory::Pages::normal;
    const auto mode = mode_while_filling(config);
    if (auto memory = sysv::SharedMemory::create(*config.key, size, mode, pages))
        return {*std::move(memory), Origin::created};
    auto memory = sysv::SharedMemory::open(*config.key);
    if (memory.size() != size)
        throw Error(fmt::format("cannot create shared memory {} of {} bytes: it has {}",
                                config.key->text(), size, memory.size()));
    return {std::move(memory), Origin::found};
}

std::size_t fill(const sysv::SharedMemory& memory, const Config& config) {
    const auto attached = memory.attach(sysv::SharedMemory::Access::read_write);
    const auto room = attached.from(config.offset.value_or(0));
    const auto refuse = [&] {
        throw Error(fmt::format("cannot write shared memory {}: the input is longer than {} bytes",
                                memory.name(), room.size()));
    };
    if (bytes_left(STDIN_FILENO).value_or(0) > room.size()) refuse();
    const auto count = fill_memory(STDIN_FILENO, room, input);
    if (count == room.size() && has_more(STDIN_FILENO, input)) refuse();
    if (config.truncate) std::ranges::fill(room.subspan(count), std::byte{0});
    return count;
}

// Copies into a segment. If that fails, removes a segment that we created.
std::size_t write_segment(const Config& config) {
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    const auto [memory, origin] = open_segment(config);
    const auto remove = [&memory = memory, &origin = origin] {
        if (origin == Origin::created) memory.remove();
    };
    try {
        const CleanupOnSignal cleanup{signals, remove};
        const auto count = fill(memory, config);
        if (origin == Origin::created && mode_while_filling(config) != config.mode && config.mode)
            memory.set_mode(*config.mode);
        return count;
    } catch (...) {
        remove();
        throw;
    }
}

std::size_t write_stream(const Config& config) {
    const auto deadline = [&] { return Deadline::after_or_never(config.wait); };
    widen_pipe(STDIN_FILENO);
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    sysv::ShmRingWriter ring{*config.key, deadline()};
    const CleanupOnSignal cleanup{signals, [&ring] { ring.abandon(); }};
    std::size_t total = 0;
    for (;;) {
        const auto slot = ring.next_slot(deadline());
        const auto count = read_some(STDIN_FILENO, slot, input);
        if (count == 0) break;
        ring.publish(count);
        total += count;
    }
    ring.finish(deadline());
    return total;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    const auto count = config.stream ? write_stream(config) : write_segment(config);
    if (config.json)
        cli::JsonLine{}
            .set("key", config.key ? config.key->text() : "")
            .set("bytes", count)
            .print();
    else if (config.verbosity.verbose)
        cli::diagnose(fmt::format("{} bytes written", count));
    return exit_status::done;
}

} // namespace

extern constexpr Applet shm_write{"copy standard input into shared memory", run};

} // namespace ipcbox
