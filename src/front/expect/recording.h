// --record: the script of what a person does goes to a file, statement by statement.
#pragma once

#include "core/fd.h"
#include "dialog/peer.h"
#include "expect/recorder.h"

#include <span>
#include <string>
#include <string_view>

namespace ipcbox::front {

class Recording {
  public:
    // Empties FILE, or makes one that only its owner can read. How to follow the script, with
    // COMMAND, stands at its head. Throws SysError, as the rest does.
    Recording(std::string file, std::span<const std::string> command);

    void hear(std::string_view output) { recorder_.hear(output); }
    // Before KEYS are typed to PEER.
    void type(std::string_view keys, const dialog::Peer& peer);
    void finish() { recorder_.finish(); }

  private:
    void write(std::string_view text) const;

    std::string name_;
    Fd file_;
    expect::Recorder recorder_;
};

} // namespace ipcbox::front
