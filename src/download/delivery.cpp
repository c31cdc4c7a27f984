#include "download/delivery.h"

#include "core/io.h"
#include "download/destination.h"
#include "http/failure.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::download {

namespace {

constexpr std::size_t piece_size = 128UL * 1024;

} // namespace

void Delivery::deliver(const Arrival& arrival, Deadline deadline) {
    const auto& limit = options_.receive.max_bytes;
    if (limit && arrival.connection.body_length().value_or(0) + arrival.already > *limit)
        throw http::TransferError(fmt::format("the document has more than {} bytes", *limit),
                                  http::status::too_large);
    const auto version = arrival.can_be_resumed ? version_of(arrival.head) : DocumentVersion{};
    if (options_.drop_documents && leftover_.goes_to_output()) {
        ToNowhere nowhere;
        return receive(arrival, nowhere, deadline);
    }
    if (leftover_.goes_to_output()) {
        if (arrival.already == 0 && !leftover_.may_begin_again())
            throw http::TransferError(
                "cannot begin anew: standard output has its first bytes already",
                http::status::cannot_resume);
        ToOutput output{output_, target_.number,
                        options_.make_visible ? options_.make_visible() : nullptr,
                        leftover_.written, deadline};
        if (!arrival.preface.empty()) output.write(arrival.preface);
        if (arrival.already == 0) leftover_.written_version = version;
        return receive(arrival, output, deadline);
    }
    if (!leftover_.part) {
        ToSpecial special{target_.file};
        if (!arrival.preface.empty()) special.write(arrival.preface);
        return receive(arrival, special, deadline);
    }
    if (arrival.already == 0) leftover_.part->restart(version);
    ToPart part{*leftover_.part};
    if (!arrival.preface.empty()) part.write(arrival.preface);
    receive(arrival, part, deadline);
}

void Delivery::receive(const Arrival& arrival, http::BodySink& place, Deadline deadline) {
    prepare_digests(leftover_.part ? leftover_.part->part_name() : std::string{}, arrival.already);
    std::vector<http::Digest*> digests;
    for (auto* digest : {&wanted_, &sha256_})
        if (*digest) digests.push_back(&**digest);
    const auto codings =
        options_.request.compressed ? http::codings_of(arrival.head) : std::vector<http::Coding>{};
    const auto length = arrival.connection.body_length();
    if (progress_ != nullptr)
        progress_->begin(
            target_.number, leftover_.goes_to_output() ? target_.url.text() : target_.file,
            codings.empty() && length ? std::optional{*length + arrival.already} : std::nullopt,
            arrival.already);
    Receiver receiver{place,
                      http::decoder_for(codings),
                      std::move(digests),
                      options_.receive,
                      arrival.already,
                      progress_,
                      target_.number,
                      deadline};
    const auto account = [&] {
        received_ += receiver.bytes();
        digested_ = arrival.already + receiver.bytes();
        if (progress_ != nullptr) progress_->end(target_.number);
    };
    try {
        arrival.connection.read_body(receiver, deadline);
        receiver.finish();
    } catch (...) {
        account();
        throw;
    }
    account();
}

// Starts the digests with the bytes that are already here.
void Delivery::prepare_digests(const std::string& file, std::uint64_t already) {
    if (already > 0 && already == digested_) return;
    wanted_.reset();
    sha256_.reset();
    digested_ = 0;
    if (target_.checksum) wanted_.emplace(target_.checksum->algorithm);
    if (options_.receive.hash) sha256_.emplace("sha256");
    if (already == 0 || file.empty() || !(wanted_ || sha256_)) return;
    const Fd here = open_file(file, O_RDONLY);
    std::vector<std::byte> piece(piece_size);
    for (auto left = already; left > 0;) {
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left));
        const auto got = read_exact(here.get(), std::span{piece}.first(most), file);
        const std::string_view bytes{reinterpret_cast<const char*>(piece.data()), got};
        for (auto* digest : {&wanted_, &sha256_})
            if (*digest) (*digest)->update(bytes);
        if (got < most) break;
        left -= got;
    }
    digested_ = already;
}

Delivery::Digests Delivery::digests_of(const std::string& file, std::uint64_t size) {
    if (digested_ != size) prepare_digests(file, size);
    digested_.reset();
    return {wanted_ ? wanted_->hex() : std::string{}, sha256_ ? sha256_->hex() : std::string{}};
}

} // namespace ipcbox::download
