// What a server compressed. The first byte says in which coding, and in which pieces it comes.
#include "core/error.h"
#include "http/content_decoder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

struct Outcome {
    std::string text;
    bool is_whole = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome decoded(std::string_view body, Coding coding, std::size_t piece) {
    Outcome outcome;
    try {
        ContentDecoder decoder{coding};
        for (auto left = body; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
            decoder.decode(left.substr(0, piece),
                           [&](std::string_view out) { outcome.text += out; });
        decoder.finish();
        outcome.is_whole = true;
    } catch (const Error& error) {
        require(error.status() == 61 && coding != Coding::identity);
    }
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr std::array codings{Coding::identity, Coding::gzip, Coding::deflate};
    const auto coding = codings[data[0] % codings.size()];
    const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto outcome = decoded(body, coding, 1 + data[0] / codings.size());
    // Deflate's own limit.
    require(outcome.text.size() <= body.size() * 1032);
    // However it is cut, it is the same; but for what there is of a text that is damaged.
    const auto at_once = decoded(body, coding, size);
    require(outcome.is_whole == at_once.is_whole);
    if (outcome.is_whole) require(outcome == at_once);
    if (coding == Coding::identity) require(outcome.is_whole && outcome.text == body);
    return 0;
}
