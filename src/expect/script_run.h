// Follows a script (expect/script.h) in a talk (expect/talk.h).
#pragma once

#include "core/deadline.h"
#include "core/error.h"
#include "expect/script.h"
#include "expect/talk.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// WHAT is "match", "timeout", "eof" or "send"; TEXT is what matched or was sent, without secrets.
using StatementListener =
    std::function<void(std::string_view what, const Statement& statement, std::string_view text)>;

// The talk did not go as the script says; what() says where. The status is 124 for a timeout, and
// otherwise that of the program, or 1 if that is 0.
class TalkFailed : public Error {
  public:
    using Error::Error;
};

class ScriptRun {
  public:
    // LIMIT applies to an expect that has none of its own. All arguments have to live as long as
    // this.
    ScriptRun(const Script& script, Duration limit, Talk& talk, StatementListener listener);

    // Returns the exit status: of the script's exit, or of the program. Throws TalkFailed, Error
    // for a text that cannot be sent or matched, SysError, and what the listeners throw.
    [[nodiscard]] int run();

  private:
    std::optional<int> follow(const Statement& statement);
    std::optional<int> expect(const Statement& statement);
    std::optional<int> act(const Action& action);
    void send(const Statement& statement, std::string_view text);
    void send_secret(const Statement& statement, std::string text);
    void send_environment(const Statement& statement);
    void wait_for_end(std::optional<Duration> limit);
    [[nodiscard]] int program_status();
    [[nodiscard]] std::string text_of(const Text& text) const;
    [[noreturn]] void fail_by_timeout(const Statement& statement);
    [[noreturn]] void fail_by_end(const Statement& statement);

    const Script& script_;
    Duration limit_;
    Talk& talk_;
    StatementListener listener_;
    std::size_t next_ = 0;
    std::size_t steps_ = 0; // since the peer was waited for
    bool is_closed_ = false;
    std::vector<std::string> groups_;
    std::map<std::string, std::string, std::less<>> variables_;
};

} // namespace ipcbox::expect
