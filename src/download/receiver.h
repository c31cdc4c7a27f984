// What happens to a body on its way: decoded, limited in size and speed, hashed, counted, and
// handed on to where it belongs.
#pragma once

#include "http/connection.h"
#include "http/content_decoder.h"
#include "http/digest.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace ipcbox::download {

// Where a document ends up: a file, standard output, nowhere.
class Destination {
  public:
    Destination() = default;
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;
    virtual ~Destination() = default;

    virtual void write(std::string_view bytes) = 0;
    // As of BodySink.
    [[nodiscard]] virtual std::optional<http::BodySink::Direct> direct() { return std::nullopt; }
    virtual void moved(std::uint64_t /*bytes*/) {}
    // That was all.
    virtual void finish() {}
};

// Who is told how far a document has come; from several threads.
class Progress {
  public:
    Progress() = default;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    virtual ~Progress() = default;

    // SIZE is what is to come in all, if that is known, of which ALREADY is there.
    virtual void begin(std::size_t number, const std::string& name,
                       std::optional<std::uint64_t> size, std::uint64_t already) = 0;
    virtual void moved(std::size_t number, std::uint64_t bytes) = 0;
    virtual void end(std::size_t number) = 0;
};

struct ReceiverOptions {
    std::optional<std::uint64_t> most_bytes; // of the document
    std::optional<std::uint64_t> bytes_per_second;
    bool hash = false; // Digest::sha256, besides what is asked for
};

class Receiver : public http::BodySink {
  public:
    // DIGEST (may be null) sees what DESTINATION gets; of the document, ALREADY bytes are there.
    Receiver(Destination& destination, http::Coding coding, std::vector<http::Digest*> digests,
             const ReceiverOptions& options, std::uint64_t already, Progress* progress,
             std::size_t number, Deadline deadline);
    ~Receiver() override;

    void write(std::string_view bytes) override;
    [[nodiscard]] std::optional<Direct> direct() override;
    void moved(std::uint64_t bytes) override;
    // The body has ended. Throws when something of it is missing.
    void finish();

    // That came over the connection.
    [[nodiscard]] std::uint64_t bytes() const { return received_; }

  private:
    void count(std::uint64_t bytes);
    void pass_on(std::string_view content);

    Destination& destination_;
    std::unique_ptr<http::ContentDecoder> decoder_; // none for identity
    std::vector<http::Digest*> digests_;
    ReceiverOptions options_;
    Progress* progress_;
    std::size_t number_;
    Deadline deadline_;
    std::uint64_t received_ = 0;
    std::uint64_t document_; // bytes of it that are there
    Deadline::Clock::time_point start_ = Deadline::Clock::now();
};

} // namespace ipcbox::download
