#include "front/client/line_history.h"

#include "core/environment.h"
#include "core/error.h"
#include "core/io.h"
#include "core/path.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/user.h"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

// The file may be another program's, so do not read it for ever.
constexpr std::size_t max_bytes = 16UL * 1024 * 1024;
constexpr mode_t private_mode = 0600;

// A file name for the server. Characters that have a meaning in a path become %2F and the like.
std::string escaped(std::string_view server) {
    std::string name;
    for (const char byte : server) {
        const bool is_plain = byte > ' ' && byte < '\x7f' && byte != '/' && byte != '%';
        if (is_plain)
            name.push_back(byte);
        else
            name += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
    return name;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (TextLines all{text}; const auto line = all.next();)
        if (!line->text.empty()) lines.emplace_back(line->text);
    return lines;
}

} // namespace

std::string history_file(std::string_view server) {
    const char* state = std::getenv("XDG_STATE_HOME"); // NOLINT(concurrency-mt-unsafe)
    std::string directory = state && *state == '/' ? state : "";
    if (directory.empty()) {
        const auto home = current_user().home;
        if (!home.starts_with('/')) return {};
        directory = home + "/.local/state";
    }
    return fmt::format("{}/ipcbox/tcp-interact/{}", directory, escaped(server));
}

LineHistory::LineHistory(const std::string& file) : name_(file) {
    make_directories(directory_of(file));
    file_ = open_file(file, O_RDWR | O_APPEND | O_CREAT, private_mode);
    lines_ = lines_of(read_to_end(file_.get(), max_bytes, file));
    if (lines_.size() <= max_lines) return;
    const bool has_grown = lines_.size() >= 2 * max_lines;
    lines_.erase(lines_.begin(), lines_.end() - max_lines);
    if (!has_grown) return;
    std::string text;
    for (const auto& line : lines_)
        text.append(line).append(1, '\n');
    set_file_size(file_.get(), 0, file);
    write_all(file_.get(), text, file);
}

void LineHistory::add(const std::string& line) {
    if (!file_ || line.empty() || line.starts_with(' ')) return;
    if (!lines_.empty() && lines_.back() == line) return;
    lines_.push_back(line);
    write_all(file_.get(), line + '\n', name_);
}

} // namespace ipcbox::front
