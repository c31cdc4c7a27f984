#include "sysv/key.h"

#include "core/error.h"
#include "core/syscall.h"

#include <charconv>
#include <fmt/core.h>
#include <stdexcept>
#include <sys/ipc.h>

namespace ipcbox::sysv {

namespace {

constexpr int perl_project = 1;

// FNV-1a and the final mix of SplitMix64: with FNV alone, short names would have the same high
// bits.
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char byte : text) {
        value ^= static_cast<unsigned char>(byte);
        value *= 0x100000001b3;
    }
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111eb;
    return value ^ (value >> 31U);
}

Key::Label label_of(std::string_view name) {
    const std::uint64_t bits = hash(std::string{"ipcbox label "}.append(name));
    constexpr std::uint64_t mask = 0x7fff;
    // Set the lowest bit, so that a label differs from fresh semaphores, which are all zero.
    return {static_cast<std::uint16_t>((bits & mask) | 1U),
            static_cast<std::uint16_t>((bits >> 15U) & mask),
            static_cast<std::uint16_t>((bits >> 30U) & mask)};
}

key_t key_of_name(std::string_view name) {
    const auto value = static_cast<key_t>(hash(name) & 0x7fffffffU);
    return value != IPC_PRIVATE ? value : 1;
}

key_t key_of_number(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hexadecimal ? text.substr(2) : text;
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
    if (text.starts_with('-'))
        throw std::invalid_argument("a key cannot be negative (write 0xffffffff for -1)");
    // Refuse 010: we would read ten, and ipcrm(1) eight.
    if (!hexadecimal && text.size() > 1 && text.starts_with('0'))
        throw std::invalid_argument("a key is decimal, or hexadecimal with 0x, but never octal");
    if (error != std::errc{} || end != digits.data() + digits.size())
        throw std::invalid_argument("expected a number, a path with a slash, or @name");
    if (value == IPC_PRIVATE)
        throw std::invalid_argument("0 is IPC_PRIVATE, which no other process could find");
    return static_cast<key_t>(value);
}

key_t key_of_path(const std::string& path) {
    const key_t value = sys::call("ftok", ::ftok, path.c_str(), perl_project);
    if (value == -1 && errno == ENOENT)
        throw Error(fmt::format("cannot make a key of {}: {} (touch it, or use @name)", path,
                                error_text(errno)));
    if (value == -1) throw SysError("make a key of", path);
    return value;
}

} // namespace

Key Key::parse(std::string_view text) {
    if (text.starts_with('@')) {
        if (text.size() == 1) throw std::invalid_argument("expected a name after @");
        return {key_of_name(text), std::string{text}, label_of(text)};
    }
    std::string own{text};
    const key_t value =
        text.find('/') != std::string_view::npos ? key_of_path(own) : key_of_number(text);
    return {value, std::move(own), label_of({})};
}

} // namespace ipcbox::sysv
