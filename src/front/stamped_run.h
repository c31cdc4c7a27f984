// A command whose output and error messages become stamped lines (dialog/stamped_lines.h): together
// on standard output, or in a file for each. This is open3-run.
#pragma once

#include "core/pipe.h"
#include "dialog/stamped_lines.h"
#include "front/run_command.h"
#include "front/sink.h"
#include "process/supervise.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct StampedRunPlan {
    std::optional<std::string> format; // default: follows from the other members
    dialog::Stamp::Kind kind = dialog::Stamp::Kind::time_of_day;
    bool monotonic = false;
    bool json = false;
    std::optional<std::string> split_directory;
    std::optional<std::string> tee_output;
    std::optional<std::string> tee_error;
    bool fail_on_stderr = false;
    ForkRetry fork_retry;
    bool quiet = false; // no lines of our own

    // Throws std::invalid_argument when the format's text is too long.
    [[nodiscard]] dialog::Stamp stamp(dialog::Moment start) const;
};

class StampedRun {
  public:
    // Opens the files, then starts the command. Throws SysError, and what spawn() throws.
    StampedRun(const StampedRunPlan& plan, const Command& command);

    // Copies until the command has ended and no process has its outputs open, or until a signal
    // comes after its end. Passes signals on.
    WaitStatus to_end();
    // Our exit status after the command's STATUS. If a signal killed the command, we die of it
    // here.
    [[nodiscard]] int status_after(WaitStatus status) const;

  private:
    // The command's output on one of its descriptors.
    struct Side {
        Side(dialog::Stream kind, std::string title, const std::optional<std::string>& copy);

        dialog::Stream stream;
        std::string name;
        Pipe pipe = make_pipe();
        dialog::LineSplitter splitter{};
        std::optional<Sink> tee{};
        bool has_written = false;
    };

    [[nodiscard]] process::SupervisePlan supervise_plan();
    bool on_signal(const SignalEvent& event);
    [[nodiscard]] dialog::Moment now() const;
    [[nodiscard]] Deadline next_due() const;
    void read(Side& side);
    void split(Side& side, dialog::Moment time);
    void show_unfinished(Side& side);
    void inform(std::string text);
    void add(dialog::Stream stream, const dialog::Piece& piece, dialog::Moment time);
    void begin(dialog::Stream stream, dialog::Moment time);
    void write_out(dialog::Stream stream);
    bool wait_to_write(int fd);

    const StampedRunPlan& plan_;
    std::span<const std::string> words_;
    dialog::Moment steady_start_; // of the monotonic clock, in the time of day
    dialog::LineText lines_;
    Side output_;
    Side error_;
    std::vector<Sink> sinks_; // by Stream, or one
    dialog::Stamp stamp_;
    std::string text_; // not written yet
    bool is_told_to_stop_ = false;
    process::Supervised command_;
};

} // namespace ipcbox::front
