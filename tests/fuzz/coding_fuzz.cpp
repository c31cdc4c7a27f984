// Bodies that a server has compressed. The first byte chooses the codings and the size of the
// pieces.
#include "core/error.h"
#include "http/content_decoder.h"
#include "require.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

struct Outcome {
    std::string text;
    bool is_whole = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome decoded(std::string_view body, const std::vector<Coding>& codings, std::size_t piece) {
    Outcome outcome;
    try {
        ContentDecoder decoder{codings};
        for (auto left = body; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
            decoder.decode(left.substr(0, piece),
                           [&](std::string_view out) { outcome.text += out; });
        decoder.finish();
        outcome.is_whole = true;
    } catch (const Error& error) {
        require(error.status() == 61);
    }
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::array<std::vector<Coding>, 3> lists{
        {{Coding::gzip}, {Coding::deflate}, {Coding::deflate, Coding::gzip}}};
    const auto& codings = lists[data[0] % lists.size()];
    const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto outcome = decoded(body, codings, 1 + data[0] / lists.size());
    // This is the limit of deflate itself.
    if (codings.size() == 1) require(outcome.text.size() <= body.size() * 1032);
    // In any pieces the text is the same. A damaged text may end earlier or later.
    const auto at_once = decoded(body, codings, size);
    require(outcome.is_whole == at_once.is_whole);
    if (outcome.is_whole) require(outcome == at_once);
    return 0;
}
