#include "download/receiver.h"

#include "core/poll.h"
#include "http/failure.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::download {

Receiver::Receiver(http::BodySink& next, std::unique_ptr<http::ContentDecoder> decoder,
                   std::vector<http::Digest*> digests, const ReceiverOptions& options,
                   std::uint64_t already, Progress* progress, std::size_t number, Deadline deadline)
    : next_(next), decoder_(std::move(decoder)), digests_(std::move(digests)), options_(options),
      progress_(progress), number_(number), deadline_(deadline), document_(already) {}

Receiver::~Receiver() = default;

void Receiver::write(std::string_view bytes) {
    if (decoder_)
        decoder_->decode(bytes, [this](std::string_view content) { pass_on(content); });
    else
        pass_on(bytes);
    count(bytes.size());
}

void Receiver::pass_on(std::string_view content) {
    document_ += content.size();
    if (options_.max_bytes && document_ > *options_.max_bytes)
        throw http::TransferError(
            fmt::format("the document has more than {} bytes", *options_.max_bytes),
            http::status::too_large);
    for (http::Digest* digest : digests_)
        digest->update(content);
    next_.write(content);
}

std::optional<http::BodySink::Direct> Receiver::direct() {
    // A transfer with limits must be counted before it is written.
    const bool seen =
        decoder_ || !digests_.empty() || options_.max_bytes || options_.bytes_per_second;
    if (seen) return std::nullopt;
    return next_.direct();
}

void Receiver::moved(std::uint64_t bytes) {
    next_.moved(bytes);
    document_ += bytes;
    count(bytes);
}

// Waits while the transfer is ahead of its rate.
void Receiver::count(std::uint64_t bytes) {
    received_ += bytes;
    if (progress_ != nullptr) progress_->moved(number_, bytes);
    if (!options_.bytes_per_second) return;
    const auto due =
        start_ +
        std::chrono::duration_cast<Deadline::Clock::duration>(std::chrono::duration<double>(
            static_cast<double>(received_) / static_cast<double>(*options_.bytes_per_second)));
    const auto pause = due - Deadline::Clock::now();
    if (pause <= Duration::zero()) return;
    const auto end = Deadline::after(pause);
    (void)poll_until({}, std::min(end, deadline_));
    if (deadline_.passed()) throw TimedOut("receiving the document");
}

void Receiver::finish() {
    if (decoder_) decoder_->finish();
    next_.finish();
}

} // namespace ipcbox::download
