#include "dialog/typescript.h"

#include "core/io.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::dialog {

namespace {

SideFile create(const std::string& name) {
    return name.empty() ? SideFile{} : SideFile{name, O_TRUNC};
}

} // namespace

Typescript::Typescript(const std::string& output, const std::string& timing)
    : output_(create(output)), timing_(create(timing)) {
    if (timing_) write_all(output_.fd(), "Script started by pty-run\n", output);
}

void Typescript::add(std::string_view text) {
    if (!failure().empty()) return;
    output_.write(text);
    if (!output_ || !timing_) return;
    const auto now = Deadline::Clock::now();
    timing_.write(fmt::format("{:.6f} {}\n", in_seconds(now - last_), text.size()));
    last_ = now;
}

} // namespace ipcbox::dialog
