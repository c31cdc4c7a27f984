#include "http/content_decoder.h"

#include "core/ascii.h"
#include "core/error.h"
#include "http/failure.h"
#include "http/tokens.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>

namespace ipcbox::http {

namespace {

constexpr std::size_t piece = 64UL * 1024;

constexpr std::string_view gzip_magic = "\x1f\x8b";

// RFC 1950, section 2.2: method 8, and both bytes together are a multiple of 31. To look like that,
// a raw deflate stream would have to begin with a stored block whose padding is not zero.
bool is_zlib_header(std::string_view head) {
    const auto first = static_cast<unsigned char>(head[0]);
    const auto second = static_cast<unsigned char>(head[1]);
    return (first & 0x0fU) == Z_DEFLATED && (first * 256U + second) % 31 == 0;
}

// zlib's names for the three formats (inflateInit2).
constexpr int zlib_format = MAX_WBITS;
constexpr int bare_format = -MAX_WBITS;
constexpr int gzip_format = MAX_WBITS + 16;

} // namespace

namespace {

// Nothing for a word that stands for no coding.
std::optional<Coding> coding_named(std::string_view name) {
    const auto is = [name](std::string_view other) {
        return ascii::same_but_for_case(name, other);
    };
    if (is("gzip") || is("x-gzip")) return Coding::gzip; // RFC 9110, section 8.4.1.3
    if (is("deflate")) return Coding::deflate;
    if (is("identity") || is("none") || name.empty()) return std::nullopt;
    throw TransferError(fmt::format("the document has the unrequested encoding {}", name),
                        status::bad_encoding);
}

} // namespace

std::vector<Coding> codings_of(const ResponseHead& head) {
    std::vector<Coding> codings;
    for (const auto& [name, value] : head.fields) {
        if (!ascii::same_but_for_case(name, "Content-Encoding")) continue;
        for (const auto word : list_elements(value))
            if (const auto coding = coding_named(word)) codings.push_back(*coding);
    }
    if (codings.size() > max_codings)
        throw TransferError(fmt::format("the document is encoded more than {} times", max_codings),
                            status::bad_encoding);
    return codings;
}

class ContentDecoder::Stream {
  public:
    explicit Stream(Coding coding)
        : coding_(coding), format_(coding == Coding::gzip ? gzip_format : zlib_format),
          buffer_(piece) {
        if (::inflateInit2(&zlib_, format_) != Z_OK) throw std::bad_alloc{};
    }
    ~Stream() { ::inflateEnd(&zlib_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void decode(std::string_view in, const Output& out) {
        while (!in.empty() && state_ != State::behind) {
            if (state_ == State::inside)
                in.remove_prefix(inflate(in, out));
            else
                in.remove_prefix(look_at_head(in, out));
        }
    }

    void finish() const {
        const bool half_a_head = taken_ == 0 && !head_.empty();
        if (state_ == State::inside || half_a_head) fail("it ends too early");
    }

  private:
    // Before, inside or behind a stream. We need its first two bytes, which may come one by one, to
    // know its format.
    enum class State { before, inside, behind };

    [[noreturn]] void fail(std::string_view reason) const {
        throw Error(fmt::format("cannot decode the {} body: {}",
                                coding_ == Coding::gzip ? "gzip" : "deflate", reason),
                    status::bad_encoding);
    }

    std::size_t look_at_head(std::string_view in, const Output& out) {
        const auto taken = std::min(in.size(), gzip_magic.size() - head_.size());
        head_ += in.substr(0, taken);
        if (head_.size() < gzip_magic.size()) return taken;
        const bool first = taken_ == 0;
        if (first && coding_ == Coding::deflate && !is_zlib_header(head_)) format_ = bare_format;
        if (coding_ == Coding::gzip && head_ != gzip_magic) {
            if (first) fail("it is not in that format");
            state_ = State::behind;
            return taken;
        }
        ::inflateReset2(&zlib_, format_);
        state_ = State::inside;
        const auto head = std::exchange(head_, {});
        // The stream uses both bytes. If it ends with them, it is raw and empty.
        inflate(head, out);
        return taken;
    }

    // Decodes up to the end of IN or of the stream; returns how many bytes of IN it used.
    std::size_t inflate(std::string_view in, const Output& out) {
        const auto size = std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max());
        // zlib does not write there; it only lacks the const.
        zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        zlib_.avail_in = static_cast<uInt>(size);
        do {
            zlib_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
            zlib_.avail_out = static_cast<uInt>(buffer_.size());
            const auto left = zlib_.avail_in;
            const int result = ::inflate(&zlib_, Z_NO_FLUSH);
            taken_ += left - zlib_.avail_in;
            hand_on({buffer_.data(), buffer_.size() - zlib_.avail_out}, out);
            if (result == Z_STREAM_END) {
                state_ = coding_ == Coding::gzip ? State::before : State::behind;
                break;
            }
            if (result == Z_BUF_ERROR) break; // all input is used, and there is no more output
            if (result == Z_NEED_DICT) fail("it needs a dictionary");
            if (result == Z_MEM_ERROR) throw std::bad_alloc{};
            if (result != Z_OK) fail(zlib_.msg != nullptr ? zlib_.msg : "it is damaged");
        } while (zlib_.avail_in > 0 || zlib_.avail_out == 0);
        return size - zlib_.avail_in;
    }

    static void hand_on(std::string_view content, const Output& out) {
        if (!content.empty()) out(content);
    }

    Coding coding_;
    int format_;
    State state_ = State::before;
    std::string head_;
    z_stream zlib_{};
    std::vector<char> buffer_;
    std::uint64_t taken_ = 0; // the input that zlib used, for all streams together
};

ContentDecoder::ContentDecoder(const std::vector<Coding>& codings) {
    for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding)
        streams_.push_back(std::make_unique<Stream>(*coding));
}

ContentDecoder::~ContentDecoder() = default;

void ContentDecoder::decode_from(std::size_t stream, std::string_view in, const Output& out) {
    const bool is_last = stream + 1 >= streams_.size();
    streams_[stream]->decode(in, [&](std::string_view content) {
        if (!is_last) return decode_from(stream + 1, content, out);
        given_ += content.size();
        if (given_ > free_bytes && given_ / max_ratio > taken_)
            throw Error(
                fmt::format("cannot decode the body: it grows to more than {} times its size",
                            max_ratio),
                status::bad_encoding);
        out(content);
    });
}

void ContentDecoder::decode(std::string_view in, const Output& out) {
    taken_ += in.size();
    if (streams_.empty())
        out(in);
    else
        decode_from(0, in, out);
}

void ContentDecoder::finish() const {
    for (const auto& stream : streams_)
        stream->finish();
}

std::unique_ptr<ContentDecoder> decoder_for(const std::vector<Coding>& codings) {
    return codings.empty() ? nullptr : std::make_unique<ContentDecoder>(codings);
}

} // namespace ipcbox::http
