#include "dialog/typescript.h"

#include "core/error.h"
#include "core/io.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::dialog {

namespace {

Fd create(const std::string& name) {
    return name.empty() ? Fd{} : open_file(name, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
}

} // namespace

Typescript::Typescript(std::string output, std::string timing)
    : output_name_(std::move(output)), timing_name_(std::move(timing)),
      output_(create(output_name_)), timing_(create(timing_name_)) {
    if (timing_) write_all(output_.get(), "Script started by pty-run\n", output_name_);
}

void Typescript::add(std::string_view text) try {
    if (!output_) return;
    write_all(output_.get(), text, output_name_);
    if (!timing_) return;
    const auto now = Deadline::Clock::now();
    write_all(timing_.get(), fmt::format("{:.6f} {}\n", in_seconds(now - last_), text.size()),
              timing_name_);
    last_ = now;
} catch (const SysError& error) {
    failure_ = error.what();
    output_ = Fd{};
    timing_ = Fd{};
}

} // namespace ipcbox::dialog
