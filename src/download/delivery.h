// Brings the body of an answer to where the document belongs, and says what has arrived.
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

// An answer, as far as a delivery has to know it.
struct Arrival {
    const http::ResponseHead& head;
    http::Connection& connection;
    std::uint64_t already = 0;   // bytes of the document that are here, which the body follows
    std::string preface;         // heads that go before the body
    bool can_be_resumed = false; // the body is the document itself, byte by byte
};

class Delivery {
  public:
    Delivery(const Target& target, const DownloadOptions& options, Leftover& leftover,
             OrderedOutput& output, Progress* progress)
        : target_(target), options_(options), leftover_(leftover), output_(output),
          progress_(progress) {}

    // Reads the body into the target's place, behind what is here already. Throws what
    // Connection::read_body() and the place throw; received() is right then, too.
    void deliver(const Arrival& arrival, Deadline deadline);
    // What came over the connection, by all calls of deliver() since the last reset().
    [[nodiscard]] std::uint64_t received() const { return received_; }
    void reset() { received_ = 0; }

    // The digests of what is here: the one of the target's checksum (empty when it has none), and
    // the sha256 that the user wants to know. SIZE bytes of FILE are read when deliver() has not
    // seen them all. Each may be called once for each document.
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
