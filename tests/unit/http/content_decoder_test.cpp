#include "http/content_decoder.h"

#include "core/error.h"

#include <array>
#include <doctest/doctest.h>
#include <string>
#include <vector>
#include <zlib.h>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

constexpr int gzip = MAX_WBITS + 16;
constexpr int zlib = MAX_WBITS;
constexpr int bare = -MAX_WBITS;

std::string compressed(std::string_view text, int format) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, format, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
    std::string made(::deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(made.data());
    stream.avail_out = static_cast<uInt>(made.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    made.resize(stream.total_out);
    ::deflateEnd(&stream);
    return made;
}

// Decodes the body in pieces of SIZE bytes.
std::string decoded(std::string_view body, Coding coding, std::size_t size = std::string::npos) {
    ContentDecoder decoder{{coding}};
    std::string text;
    bool is_fit = true;
    for (std::string_view left = body; !left.empty();) {
        const auto piece = left.substr(0, size);
        left.remove_prefix(piece.size());
        decoder.decode(piece, [&](std::string_view out) {
            is_fit = is_fit && !out.empty() && out.size() <= 65536;
            text += out;
        });
    }
    decoder.finish();
    CHECK(is_fit);
    return text;
}

std::string wrong(std::string_view body, Coding coding) {
    try {
        (void)decoded(body, coding);
    } catch (const Error& error) {
        CHECK(error.status() == 61);
        return error.what();
    }
    return "right";
}

// A text that fits into no buffer and hardly repeats itself.
std::string long_text() {
    std::string text;
    unsigned state = 1;
    while (text.size() < 300'000) {
        state = state * 1103515245U + 12345U;
        text += std::to_string(state >> 16U);
    }
    return text;
}

} // namespace

namespace {

std::vector<Coding> codings(std::vector<Field> fields) {
    ResponseHead head;
    head.fields = std::move(fields);
    return codings_of(head);
}

} // namespace

TEST_CASE("Content-Encoding is a list, in which some words mean nothing") {
    using List = std::vector<Coding>;
    CHECK(codings({{"content-encoding", "gzip"}}) == List{Coding::gzip});
    CHECK(codings({{"Content-Encoding", "X-GZip"}}) == List{Coding::gzip});
    CHECK(codings({{"Content-Encoding", " deflate ,gzip"}}) == List{Coding::deflate, Coding::gzip});
    CHECK(codings({{"Content-Encoding", "deflate"}, {"content-encoding", "gzip"}}) ==
          List{Coding::deflate, Coding::gzip});
    CHECK(codings({{"Content-Encoding", "gzip, identity"}}) == List{Coding::gzip});
    for (const char* const nothing : {"", ",", " , ", "identity", "IDENTITY", "none", "identity,"})
        CHECK(codings({{"Content-Encoding", nothing}}).empty());
    CHECK(codings({{"Content-Type", "gzip"}}).empty());
    for (const char* const unknown : {"br", "gzip br", "zstd", "gzip, compress"})
        CHECK_THROWS_AS(codings({{"Content-Encoding", unknown}}), Error);
    CHECK_THROWS_AS(codings({{"Content-Encoding", "gzip,gzip,gzip,gzip,gzip,gzip"}}), Error);
    CHECK(decoder_for({}) == nullptr);
}

TEST_CASE("several codings are undone from the last one on") {
    const auto text = long_text();
    const auto body = compressed(compressed(text, zlib), gzip);
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::string::npos}) {
        ContentDecoder decoder{{Coding::deflate, Coding::gzip}};
        std::string got;
        for (std::string_view left = body; !left.empty();) {
            const auto piece = left.substr(0, size);
            left.remove_prefix(piece.size());
            decoder.decode(piece, [&](std::string_view out) { got += out; });
        }
        decoder.finish();
        CHECK(got == text);
    }
}

TEST_CASE("compressed text comes back, however it is cut") {
    const auto text = long_text();
    for (const auto& body : {std::string{}, std::string{"x"}, text}) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7},
                                       std::size_t{65536}, std::string::npos}) {
            CHECK(decoded(compressed(body, gzip), Coding::gzip, size) == body);
            CHECK(decoded(compressed(body, zlib), Coding::deflate, size) == body);
            CHECK(decoded(compressed(body, bare), Coding::deflate, size) == body);
        }
    }
}

TEST_CASE("stored blocks are not a zlib header") {
    // A raw stream begins with 0x00 or 0x01 if its first block is stored.
    const std::string stored{"\x01\x02\x00\xfd\xff"
                             "ab",
                             7};
    CHECK(decoded(stored, Coding::deflate) == "ab");
    CHECK(decoded(stored, Coding::deflate, 1) == "ab");
}

TEST_CASE("an empty body is whole") {
    for (const auto coding : {Coding::gzip, Coding::deflate})
        CHECK(decoded("", coding).empty());
}

TEST_CASE("several members are one text") {
    const auto body = compressed("one ", gzip) + compressed("", gzip) + compressed("two", gzip);
    for (std::size_t size = 1; size <= body.size(); ++size)
        CHECK(decoded(body, Coding::gzip, size) == "one two");
    CHECK(wrong(body.substr(0, body.size() - 1), Coding::gzip) ==
          "cannot decode the gzip body: it ends too early");
}

TEST_CASE("bytes after the end are ignored") {
    const auto body = compressed("text", gzip);
    using namespace std::string_literals;
    for (const auto& rest : {"\0\0\0\0"s, "\0"s, "garbage"s, "\x1f"s, "\x1f\x1f\x8b"s, "\n"s}) {
        CHECK(decoded(body + rest, Coding::gzip) == "text");
        CHECK(decoded(body + rest, Coding::gzip, 1) == "text");
        CHECK(decoded(compressed("text", zlib) + rest, Coding::deflate, 1) == "text");
        CHECK(decoded(compressed("text", bare) + rest, Coding::deflate) == "text");
    }
}

TEST_CASE("a stream that is cut at any byte is an error") {
    for (const int format : {gzip, zlib, bare}) {
        const auto coding = format == gzip ? Coding::gzip : Coding::deflate;
        const auto body = compressed("a text that is cut", format);
        for (std::size_t size = 1; size < body.size(); ++size)
            CHECK(wrong(body.substr(0, size), coding).ends_with(" body: it ends too early"));
    }
}

TEST_CASE("a damaged stream or another format is an error") {
    CHECK(wrong("<html>", Coding::gzip) == "cannot decode the gzip body: it is not in that format");
    CHECK(wrong("<html>", Coding::deflate).starts_with("cannot decode the deflate body: "));
    CHECK(wrong(compressed("text", zlib), Coding::gzip) ==
          "cannot decode the gzip body: it is not in that format");
    auto body = compressed("a text that is long enough", gzip);
    body[body.size() - 8] = static_cast<char>(body[body.size() - 8] ^ 1); // damages the CRC
    CHECK(wrong(body, Coding::gzip) == "cannot decode the gzip body: incorrect data check");
    body = compressed("text", gzip);
    body[body.size() - 1] = 1; // damages the length
    CHECK(wrong(body, Coding::gzip) == "cannot decode the gzip body: incorrect length check");
    body = compressed("text", gzip);
    body[2] = 7; // damages the method
    CHECK(wrong(body, Coding::gzip) == "cannot decode the gzip body: unknown compression method");
    body = compressed("text", zlib);
    body.back() = static_cast<char>(body.back() ^ 1);
    CHECK(wrong(body, Coding::deflate) == "cannot decode the deflate body: incorrect data check");
    // This zlib header asks for a preset dictionary.
    CHECK(wrong(std::string_view{"\x78\xbb\0\0\0\0\0", 7}, Coding::deflate) ==
          "cannot decode the deflate body: it needs a dictionary");
}

TEST_CASE("a decompression bomb is stopped, but a long text is not") {
    const auto bomb =
        compressed(std::string(ContentDecoder::free_bytes + (1UL << 20U), '\0'), gzip);
    std::size_t most = 0;
    ContentDecoder decoder{{Coding::gzip}};
    const auto count = [&](std::string_view out) { most += out.size(); };
    CHECK_THROWS_WITH_AS(decoder.decode(bomb, count),
                         "cannot decode the body: it grows to more than 500 times its size", Error);
    CHECK(most <= ContentDecoder::free_bytes);
    // Below that size, even zeros are accepted.
    const std::string zeros(ContentDecoder::free_bytes, '\0');
    CHECK(decoded(compressed(zeros, gzip), Coding::gzip) == zeros);
    // A text that shrinks a hundred times is accepted too.
    std::string log;
    for (int line = 0; log.size() < ContentDecoder::free_bytes + (1UL << 20U); ++line)
        log += std::string(600, 'x') + std::to_string(line) + "\n";
    const auto small = compressed(log, gzip);
    CHECK(log.size() / small.size() > 100);
    CHECK(decoded(small, Coding::gzip) == log);
}

TEST_CASE("an exception of the receiver comes through") {
    struct Full {};
    ContentDecoder decoder{{Coding::gzip}};
    CHECK_THROWS_AS(
        decoder.decode(compressed("text", gzip), [](std::string_view) { throw Full{}; }), Full);
}
