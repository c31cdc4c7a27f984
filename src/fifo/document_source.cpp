#include "fifo/document_source.h"

#include "core/error.h"
#include "core/io.h"
#include "core/program.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

namespace ipcbox::fifo {

namespace {

class Text : public DocumentSource {
  public:
    explicit Text(std::string text) : text_(std::move(text)) {}
    std::optional<Document> next() override { return Document{text_, {}}; }

  private:
    std::string text_;
};

class File : public DocumentSource {
  public:
    File(std::string path, std::size_t limit) : path_(std::move(path)), limit_(limit) {}

    [[nodiscard]] std::string contents() const {
        // O_NONBLOCK: opening a FIFO or a device must not make us wait.
        const Fd file = open_file(path_, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat status {};
        if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("inspect", path_);
        if (!S_ISREG(status.st_mode))
            throw Error(fmt::format("cannot read {}: it is not a regular file", path_));
        return read_to_end(file.get(), limit_, path_);
    }
    std::optional<Document> next() override {
        try {
            return Document{contents(), {}};
        } catch (const Error& error) {
            return Document{{}, error.what()};
        }
    }

  private:
    std::string path_;
    std::size_t limit_;
};

class Command : public DocumentSource {
  public:
    Command(std::vector<std::string> command, dialog::CapturedCommand::Limits limits)
        : command_(std::move(command)), program_(find_program(command_.front())), limits_(limits) {
        running_.emplace(program_, command_, limits_);
    }

    std::optional<Document> next() override { return std::exchange(ready_, std::nullopt); }

    bool prepare() override {
        if (ready_) return false;
        try {
            if (!running_) running_.emplace(program_, command_, limits_);
            if (auto outcome = running_->work()) finish(*std::move(outcome));
        } catch (const Error& error) { // only this start failed
            finish({{}, error.what()});
        }
        return ready_.has_value();
    }
    void add_poll_entries(std::vector<pollfd>& entries) const override {
        if (!running_) return;
        const auto more = running_->poll_entries();
        entries.insert(entries.end(), more.begin(), more.end());
    }
    [[nodiscard]] Deadline deadline() const override {
        return running_ ? running_->deadline() : Deadline::never();
    }

  private:
    void finish(dialog::CapturedCommand::Outcome outcome) {
        running_.reset();
        if (!outcome.error.empty())
            outcome.error = fmt::format("{}: {}", command_.front(), outcome.error);
        ready_ = Document{std::move(outcome.output), std::move(outcome.error)};
    }

    std::vector<std::string> command_;
    std::string program_;
    dialog::CapturedCommand::Limits limits_;
    std::optional<dialog::CapturedCommand> running_;
    std::optional<Document> ready_;
};

} // namespace

std::unique_ptr<DocumentSource> documents_of_text(std::string text) {
    return std::make_unique<Text>(std::move(text));
}

std::unique_ptr<DocumentSource> documents_of_file(std::string path, std::size_t limit) {
    auto file = std::make_unique<File>(std::move(path), limit);
    (void)file->contents();
    return file;
}

std::unique_ptr<DocumentSource> documents_of_command(std::vector<std::string> command,
                                                     dialog::CapturedCommand::Limits limits) {
    return std::make_unique<Command>(std::move(command), limits);
}

} // namespace ipcbox::fifo
