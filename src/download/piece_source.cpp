#include "download/piece_source.h"

#include "download/upload.h"
#include "http/failure.h"

#include <algorithm>

namespace ipcbox::download {

PieceSource::PieceSource(const std::vector<http::BodyPiece>& pieces) {
    for (const auto& piece : pieces) {
        if (piece.file)
            sources_.push_back(std::make_unique<Upload>(*piece.file));
        else
            sources_.push_back(std::make_unique<http::TextSource>(piece.text));
        const auto length = sources_.back()->length();
        length_ = length && length_ ? std::optional{*length_ + *length} : std::nullopt;
    }
    begin(0);
}

void PieceSource::begin(std::size_t piece) {
    piece_ = piece;
    left_ = piece < sources_.size() ? sources_[piece]->length() : std::nullopt;
}

std::optional<std::size_t> PieceSource::read(std::span<std::byte> into) {
    while (piece_ < sources_.size()) {
        if (left_ != 0) {
            // Leave out what was added to a file since we announced its length.
            const auto room = static_cast<std::size_t>(
                std::min<std::uint64_t>(into.size(), left_.value_or(into.size())));
            const auto got = sources_[piece_]->read(into.first(room));
            if (!got) return std::nullopt;
            if (*got == 0 && left_)
                throw http::TransferError("cannot read a file of the form: it was truncated",
                                          http::status::cannot_read);
            if (left_) *left_ -= *got;
            if (*got > 0) return got;
        }
        begin(piece_ + 1);
    }
    return 0;
}

int PieceSource::waits_for() const {
    return piece_ < sources_.size() ? sources_[piece_]->waits_for() : -1;
}

void PieceSource::rewind() {
    for (const auto& source : sources_)
        source->rewind();
    begin(0);
}

} // namespace ipcbox::download
