// The values of the command line, and the functions that make foreign bytes harmless for a
// terminal. The first byte chooses the function that gets the others: 'c' is the first of `checks`,
// 'd' the second, and so on.
#include "cli/output.h"
#include "cli/values.h"
#include "core/signals.h"
#include "net/address.h"
#include "require.h"
#include "sysv/key.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

using namespace ipcbox;

namespace {

void check_visible(std::string_view text) {
    const auto shown = cli::visible(text);
    for (const char byte : shown) {
        const auto value = static_cast<unsigned char>(byte);
        require((value >= 0x20 && value != 0x7f) || byte == '\n' || byte == '\t');
    }
    // A terminal also obeys the C1 controls, which are \xc2 and then a byte below \xa0.
    for (std::size_t at = 0; at + 1 < shown.size(); ++at)
        require(shown[at] != '\xc2' || static_cast<unsigned char>(shown[at + 1]) >= 0xa0);
    require(cli::visible(shown) == shown);
}

void check_key(std::string_view text) {
    if (text.find('/') != std::string_view::npos) return; // a file's name: ftok(3) reads no bytes
    const auto key = sysv::Key::parse(text);
    require(key.value() != 0 && key.text() == text);
    require(key.label() != sysv::Key::Label{});
    for (const auto word : key.label())
        require(word <= 0x7fff); // a semaphore can hold this
}

void check_number(std::string_view text) {
    const int number = cli::number_between(-5, 100)(text);
    require(number >= -5 && number <= 100);
}

void check_signal_name(std::string_view text) {
    if (const auto number = signal_number(text))
        require(signal_number(signal_name(*number)).value_or(*number) == *number);
}

void check_host_port(std::string_view text) {
    const auto parsed = net::HostPort::parse(text);
    const auto again = net::HostPort::parse(parsed.text());
    require(again.host == parsed.host && again.port == parsed.port);
}

using Check = void (*)(std::string_view);

constexpr std::array<Check, 10> checks{
    check_visible,
    check_key,
    check_number,
    check_signal_name,
    [](std::string_view text) { require(cli::parse_duration(text) >= Duration::zero()); },
    [](std::string_view text) { (void)cli::parse_size(text); },
    [](std::string_view text) { require(cli::parse_mode(text) <= 0777); },
    [](std::string_view text) { (void)cli::parse_port(text); },
    [](std::string_view text) { (void)cli::parse_owner(text); },
    check_host_port,
};

constexpr std::uint8_t first_check = 'c';

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    try {
        checks[static_cast<std::uint8_t>(data[0] - first_check) % checks.size()](text);
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
    return 0;
}
