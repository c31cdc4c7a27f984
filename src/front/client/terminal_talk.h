// A conversation on a terminal: the person edits a line while the server's text arrives above it.
// The server's last line, if it has not ended, is the prompt.
#pragma once

#include "core/deadline.h"
#include "core/signals.h"
#include "core/terminal.h"
#include "front/client/line_editor.h"
#include "front/client/line_history.h"
#include "front/client/passage.h"
#include "front/client/reached.h"
#include "front/client/socket_writer.h"

#include <optional>
#include <string>

namespace ipcbox::front {

class TerminalTalk {
  public:
    // All of them have to outlive this.
    TerminalTalk(Reached& server, const std::string& target, Passage& passage, LineHistory history,
                 char escape);

    enum class Ending { by_server, by_person };

    // Runs until the server ends the connection or the person quits. INT, TERM, HUP and QUIT end us
    // as usual, after the terminal is restored. It is also restored while TSTP stops us. Throws
    // SysError, and TimedOut when nothing was sent or received for IDLE.
    Ending run(std::optional<Duration> idle);

  private:
    enum class Mode { talk, menu, log_name };

    void take_signals();
    void take_answer();
    void take_keys();
    void use_keys(std::string_view keys);
    void use_menu_key(char key);
    void finish_line();
    void log_to(const std::string& file);
    void send_request(std::string_view text);
    void end_input();
    void show_answer(std::string_view text);
    void show(std::string_view text) const;
    void note(std::string_view text); // a line of ours
    [[nodiscard]] std::string row();  // as the terminal shows it
    void draw();

    Reached& server_;
    net::RelayEnd end_;
    std::string target_;
    Passage& passage_;
    LineHistory history_;
    LineEditor editor_;
    SocketWriter out_;
    Mode mode_ = Mode::talk;
    std::string tail_;  // the server's last line, not ended
    std::string typed_; // the line of the conversation, while a file's name is asked for
    bool input_ended_ = false;
    bool over_ = false;
    Ending ending_ = Ending::by_server;
    bool is_active_ = false; // a byte came or went
    std::optional<UnbufferedKeys> keys_;
    std::optional<SignalFd> signals_;
};

} // namespace ipcbox::front
