// Brings the body of an answer to the document's place, and counts the bytes that have arrived.
#pragma once

#include "download/leftover.h"
#include "download/ordered_output.h"
#include "download/receiver.h"
#include "download/target.h"
#include "http/connection.h"
#include "http/digest.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::download {

// The facts about an answer that a delivery needs.
struct Arrival {
    const http::ResponseHead& head;
    http::Connection& connection;
    std::uint64_t already = 0;   // bytes of the document that are here already
    std::string preface;         // heads that go before the body
    bool can_be_resumed = false; // the body is the document itself, byte by byte
};

class Delivery {
  public:
    Delivery(const Target& target, const DownloadOptions& options, Leftover& leftover,
             OrderedOutput& output, Progress* progress)
        : target_(target), options_(options), leftover_(leftover), output_(output),
          progress_(progress) {}

    // Reads the body into the target's place, after the bytes that are already here. Throws what
    // Connection::read_body() and the place throw. received() is right even then.
    void deliver(const Arrival& arrival, Deadline deadline);
    // The bytes that came over the connection, in all calls of deliver() since the last reset().
    [[nodiscard]] std::uint64_t received() const { return received_; }
    void reset() { received_ = 0; }

    // The digests of the bytes that are here: the one for the target's checksum (empty when it has
    // none), and the sha256 that the user asked for. They read SIZE bytes of FILE when deliver()
    // has not seen them all. Call each function once for each document.
    struct Digests {
        std::string wanted;
        std::string sha256;
    };
    [[nodiscard]] Digests digests_of(const std::string& file, std::uint64_t size);

  private:
    void prepare_digests(const std::string& file, std::uint64_t already);
    void receive(const Arrival& arrival, http::BodySink& place, Deadline deadline);

    const Target& target_;
    const DownloadOptions& options_;
    Leftover& leftover_;
    OrderedOutput& output_;
    Progress* progress_;
    std::uint64_t received_ = 0;
    std::optional<http::Digest> wanted_;    // for the target's checksum
    std::optional<http::Digest> sha256_;    // for the outcome
    std::optional<std::uint64_t> digested_; // bytes of the document that both have seen
};

} // namespace ipcbox::download
