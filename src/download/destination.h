// The places where a document can end up, besides nowhere.
#pragma once

#include "core/fd.h"
#include "download/ordered_output.h"
#include "download/part_file.h"
#include "download/receiver.h"

#include <functional>

namespace ipcbox::download {

// What a terminal is shown in the place of a document's pieces, and of the empty one that is its
// end.
using OutputFilter = std::function<std::string(std::string_view)>;

// Standard output, in document NUMBER's turn. WRITTEN counts the document's bytes.
class ToOutput : public Destination {
  public:
    // FILTER may be empty.
    ToOutput(OrderedOutput& output, std::size_t number, OutputFilter filter, std::uint64_t& written,
             Deadline deadline)
        : output_(output), number_(number), filter_(std::move(filter)), written_(written),
          deadline_(deadline) {}
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<http::BodySink::Direct> direct() override;
    void moved(std::uint64_t bytes) override { written_ += bytes; }
    void finish() override;

  private:
    OrderedOutput& output_;
    std::size_t number_;
    OutputFilter filter_;
    std::uint64_t& written_;
    Deadline deadline_;
};

// A file, until it is whole.
class ToPart : public Destination {
  public:
    explicit ToPart(PartFile& part) : part_(part) {}
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<http::BodySink::Direct> direct() override;
    void moved(std::uint64_t bytes) override { part_.wrote(bytes); }

  private:
    PartFile& part_;
};

// A device or a FIFO, as it is.
class ToSpecial : public Destination {
  public:
    explicit ToSpecial(const std::string& name);
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<http::BodySink::Direct> direct() override;

  private:
    const std::string& name_;
    Fd file_;
};

class ToNowhere : public Destination {
  public:
    void write(std::string_view /*bytes*/) override {}
};

} // namespace ipcbox::download
