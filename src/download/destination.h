// Sinks for the places where a document can go.
#pragma once

#include "core/fd.h"
#include "download/ordered_output.h"
#include "download/part_file.h"
#include "download/target.h"
#include "http/body_sink.h"

namespace ipcbox::download {

// Standard output, when it is document NUMBER's turn. WRITTEN counts the document's bytes.
class ToOutput : public http::BodySink {
  public:
    // FILTER may be empty.
    ToOutput(OrderedOutput& output, std::size_t number, OutputFilter filter, std::uint64_t& written,
             Deadline deadline)
        : output_(output), number_(number), filter_(std::move(filter)), written_(written),
          deadline_(deadline) {}
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<Direct> direct() override;
    void moved(std::uint64_t bytes) override { written_ += bytes; }
    void finish() override;

  private:
    OrderedOutput& output_;
    std::size_t number_;
    OutputFilter filter_;
    std::uint64_t& written_;
    Deadline deadline_;
};

// A file that is not whole yet.
class ToPart : public http::BodySink {
  public:
    explicit ToPart(PartFile& part) : part_(part) {}
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<Direct> direct() override;
    void moved(std::uint64_t bytes) override { part_.wrote(bytes); }

  private:
    PartFile& part_;
};

// A device, a FIFO, or a descriptor that we were started with (/dev/fd/N).
class ToSpecial : public http::BodySink {
  public:
    explicit ToSpecial(const std::string& name);
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<Direct> direct() override;

  private:
    const std::string name_;
    Fd file_; // none: the descriptor is not ours to close
    int fd_;
};

class ToNowhere : public http::BodySink {
  public:
    void write(std::string_view /*bytes*/) override {}
};

} // namespace ipcbox::download
