#include "cli/output.h"

#include "core/io.h"
#include "core/syscall.h"
#include "core/utf8.h"

#include <algorithm>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utility>

namespace ipcbox::cli {

namespace {

constinit std::string_view name = "ipcbox";

// A plain array: a std::string would need a constructor before main and a destructor after it.
struct Buffer {
    static constexpr std::size_t capacity = 16UL * 1024;
    char bytes[capacity];
    std::size_t filled;
};
constinit Buffer buffer{};

// The length of the UTF-8 sequence at the front of TEXT if it is safe for a terminal, else 0. The
// C1 controls, U+0080 to U+009F, are not safe.
std::size_t harmless_length(std::string_view text) {
    const auto length = utf8_length(text);
    const bool is_control =
        length == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
    return is_control ? 0 : length;
}

// How many bytes at the end of TEXT may be the beginning of a UTF-8 sequence, or of a line's end.
std::size_t unfinished_length(std::string_view text) {
    return text.ends_with('\r') ? 1 : utf8_unfinished(text);
}

bool is_printable(char byte) {
    return byte >= ' ' && byte <= '~';
}

enum class Lines { stay, join };

std::string without_controls(std::string_view bytes, Lines lines) {
    if (std::ranges::all_of(bytes, is_printable)) return std::string{bytes};
    std::string text;
    while (!bytes.empty()) {
        // Network protocols end their lines with CR LF.
        if (lines == Lines::stay && bytes.starts_with("\r\n")) bytes.remove_prefix(1);
        const auto first = static_cast<unsigned char>(bytes.front());
        const std::size_t length = harmless_length(bytes);
        const bool stays = first == '\t' || (first == '\n' && lines == Lines::stay);
        if (length == 0) {
            text += fmt::format("\\x{:02x}", first);
        } else if ((first < 0x20 && !stays) || first == 0x7f) {
            text += '^';
            text += static_cast<char>(first ^ 0x40U);
        } else {
            text += bytes.substr(0, length);
        }
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return text;
}

} // namespace

void print(std::string_view text) {
    if (buffer.filled + text.size() > Buffer::capacity) flush();
    if (text.size() > Buffer::capacity) return write_all(STDOUT_FILENO, text, "standard output");
    text.copy(buffer.bytes + buffer.filled, text.size());
    buffer.filled += text.size();
}

void flush() {
    const std::string_view pending{buffer.bytes, buffer.filled};
    buffer.filled = 0; // first, because a write that failed must not be repeated
    write_all(STDOUT_FILENO, pending, "standard output");
}

void diagnose(std::string_view text) noexcept {
    diagnose_as(name, text);
}

void diagnose_as(std::string_view who, std::string_view text) noexcept {
    try {
        const auto line = fmt::format("{}: {}\n", who, visible_line(text));
        write_all(STDERR_FILENO, line, "standard error");
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): see the header
    }
}

void set_program_name(std::string_view program) noexcept {
    name = program;
}

std::string_view program_name() noexcept {
    return name;
}

std::string visible(std::string_view bytes) {
    return without_controls(bytes, Lines::stay);
}

std::string visible_line(std::string_view bytes) {
    return without_controls(bytes, Lines::join);
}

std::string VisibleText::next(std::string_view piece) {
    begun_ += piece;
    const auto unfinished = unfinished_length(begun_);
    auto text = visible(std::string_view{begun_}.substr(0, begun_.size() - unfinished));
    begun_.erase(0, begun_.size() - unfinished);
    return text;
}

std::string VisibleText::finish() {
    return visible(std::exchange(begun_, {}));
}

bool is_terminal(int fd) noexcept {
    const int saved_errno = errno;
    const bool terminal = sys::call("isatty", ::isatty, fd) == 1;
    errno = saved_errno;
    return terminal;
}

bool is_open(int fd) noexcept {
    struct stat status {};
    return sys::call("fstat", ::fstat, fd, &status) == 0;
}

bool is_null_device(int fd) noexcept {
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) return false;
    // Documentation/admin-guide/devices.txt
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

} // namespace ipcbox::cli
