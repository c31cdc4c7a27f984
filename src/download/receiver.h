// Receives a body: decodes it, limits its size and speed, hashes and counts it, and hands it to the
// next sink.
#pragma once

#include "download/target.h"
#include "http/body_sink.h"
#include "http/content_decoder.h"
#include "http/digest.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ipcbox::download {

// Shows how far the documents have come. Several threads call it.
class Progress {
  public:
    Progress() = default;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    virtual ~Progress() = default;

    // SIZE is the size of the whole document, if that is known. ALREADY bytes of it are here.
    virtual void begin(std::size_t number, const std::string& name,
                       std::optional<std::uint64_t> size, std::uint64_t already) = 0;
    virtual void moved(std::size_t number, std::uint64_t bytes) = 0;
    virtual void end(std::size_t number) = 0;
};

class Receiver : public http::BodySink {
  public:
    // DECODER may be null. DIGESTS get the same bytes as NEXT. ALREADY bytes of the document are
    // here. PROGRESS (may be null) gets the progress of document NUMBER.
    Receiver(http::BodySink& next, std::unique_ptr<http::ContentDecoder> decoder,
             std::vector<http::Digest*> digests, const ReceiverOptions& options,
             std::uint64_t already, Progress* progress, std::size_t number, Deadline deadline);
    ~Receiver() override;

    // Throws TransferError for a document that is too large and for a bad coding, TimedOut, and
    // what NEXT throws.
    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<Direct> direct() override;
    void moved(std::uint64_t bytes) override;
    void finish() override;

    // The bytes that came over the connection.
    [[nodiscard]] std::uint64_t bytes() const { return received_; }

  private:
    void count(std::uint64_t bytes);
    void pass_on(std::string_view content);

    http::BodySink& next_;
    std::unique_ptr<http::ContentDecoder> decoder_;
    std::vector<http::Digest*> digests_;
    const ReceiverOptions& options_;
    Progress* progress_;
    std::size_t number_;
    Deadline deadline_;
    std::uint64_t received_ = 0;
    std::uint64_t document_; // bytes of it that are here
    Deadline::Clock::time_point start_ = Deadline::Clock::now();
};

} // namespace ipcbox::download
