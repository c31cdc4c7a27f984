#include "front/expect/recording.h"

#include "core/io.h"
#include "core/shell_words.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <utility>

namespace ipcbox::front {

Recording::Recording(std::string file, std::span<const std::string> command)
    : name_(std::move(file)), file_([this] {
          constexpr mode_t owner_only = 0600; // the typed text can contain secrets
          return open_file(name_, O_WRONLY | O_CREAT | O_TRUNC, owner_only);
      }()),
      recorder_([this](std::string_view text) { write(text); }) {
    std::string words;
    for (const auto& word : command)
        words.append(1, ' ').append(shell_quoted(word));
    write(fmt::format("# Recorded. Follow it by:\n# pty-expect --strip-ansi -f {} --{}\n",
                      shell_quoted(name_), words));
}

void Recording::type(std::string_view keys, const dialog::Peer& peer) {
    recorder_.type(keys, peer.hides_input() ? expect::Input::hidden : expect::Input::shown);
}

void Recording::write(std::string_view text) const {
    write_all(file_.get(), text, name_);
}

} // namespace ipcbox::front
