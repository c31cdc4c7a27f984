// shm-read - copy shared memory to standard output
#include "applet.h"
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

#include <limits>
#include <unistd.h>

namespace ipcbox {
namespace {

constexpr std::string_view output = "standard output";

struct Config {
    std::optional<sysv::Key> key;
    std::optional<int> id;
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> count;
    bool stream = false;
    std::optional<Duration> wait;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, "1234, 0x4d2, ./path or @name");
    options.value("--id ID", config.id, cli::number_between(0, std::numeric_limits<int>::max()),
                  "read the segment with this id, instead of a key");
    options.value("-o,--offset BYTES", config.offset, cli::parse_size,
                  "begin at this byte of the segment (default 0)");
    options.value("-n,--bytes BYTES", config.count, cli::parse_size,
                  "copy this many bytes (default: up to the end)");
    options.flag("--stream", config.stream, "read the data that shm-write --stream KEY writes");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "with --stream: wait at most DURATION for the writer");
    options.example("shm-read @state | tr -d '\\0'", "print the text in a segment");
    options.example("shm-read @state -n 16 | od -c",
                    "look at the first sixteen bytes of a segment");
    options.example("shm-read --stream @feed | gzip > feed.gz",
                    "compress the data that another shell writes");
    config.verbosity = options.parse();
    if (config.key.has_value() == config.id.has_value())
        throw cli::UsageError("expected a KEY or --id ID");
    if (config.stream && !config.key) throw cli::UsageError("--stream needs a KEY");
    if (config.stream && (config.offset || config.count))
        throw cli::UsageError("--stream cannot be combined with --offset or --bytes");
    if (config.wait && !config.stream) throw cli::UsageError("--wait needs --stream");
    return config;
}

std::size_t read_segment(const Config& config) {
    const auto memory =
        config.id ? sysv::SharedMemory::with_id(*config.id) : sysv::SharedMemory::open(*config.key);
    const auto attached = memory.attach(sysv::SharedMemory::Access::read);
    const auto offset = config.offset.value_or(0);
    const auto bytes = attached.from(offset);
    const auto count = config.count.value_or(bytes.size());
    if (count > bytes.size())
        throw Error(fmt::format("cannot read {} bytes at {} of shared memory {}: it has {}", count,
                                offset, memory.name(), memory.size()));
    drain_memory(STDOUT_FILENO, bytes.first(count), output);
    return count;
}

std::size_t read_stream(const Config& config) {
    widen_pipe(STDOUT_FILENO);
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    const auto deadline = [&] { return Deadline::after_or_never(config.wait); };
    sysv::ShmRingReader ring{*config.key, deadline()};
    const CleanupOnSignal cleanup{signals, [&ring] { ring.abandon(); }};
    std::size_t total = 0;
    for (;;) {
        const auto bytes = ring.next(deadline());
        if (bytes.empty()) return total;
        write_all(STDOUT_FILENO, bytes, output);
        total += bytes.size();
    }
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    const auto count = config.stream ? read_stream(config) : read_segment(config);
    if (config.verbosity.verbose) cli::diagnose(fmt::format("{} bytes read", count));
    return exit_status::done;
}

} // namespace

extern constexpr Applet shm_read{"copy shared memory to standard output", run};

} // namespace ipcbox
