// Responses of a server: a head, and a body in chunks. The first byte chooses the kind of request.
#include "http/failure.h"
#include "http/response_parser.h"
#include "require.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

using namespace ipcbox::http;

namespace {

using Asked = ResponseParser::Asked;
using Framing = ResponseParser::Framing;

struct Answer {
    std::string head; // the bytes, and what they mean
    Framing framing = Framing::none;
    std::uint64_t length = 0;
    bool keeps_alive = false;
    std::string content;
    bool is_done = false;
    std::string error;

    friend bool operator==(const Answer&, const Answer&) = default;
};

void check_head(const ResponseHead& head, std::size_t size) {
    require(head.bytes.size() <= size && head.bytes.ends_with('\n'));
    require(head.version == 10 || head.version == 11);
    require(head.status == 101 || (head.status >= 200 && head.status <= 999));
    require(head.reason.find_first_of("\r\n") == std::string::npos);
    for (const auto& [name, value] : head.fields) {
        require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string::npos);
        require(value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos);
    }
}

// BYTES as they come in pieces. The bytes that a step leaves are given again, followed by more.
Answer read(std::string_view bytes, Asked asked, std::size_t piece) {
    Answer answer;
    ResponseParser parser{asked};
    std::string unread;
    const auto read_unread = [&] {
        if (!parser.has_head()) {
            unread.erase(0, parser.parse_head(unread));
            if (!parser.has_head()) return;
            const auto& head = parser.head();
            check_head(head, bytes.size());
            answer.head = head.bytes + std::to_string(head.status) + head.reason;
            for (const auto& [name, value] : head.fields)
                answer.head.append(name).append(1, ':').append(value).append(1, '\n');
            answer.framing = parser.framing();
            answer.length = parser.length();
            answer.keeps_alive = parser.keeps_alive();
            require(asked == Asked::document || answer.framing == Framing::none);
            require(answer.framing != Framing::length || answer.length > 0);
            require(answer.framing != Framing::until_close || !answer.keeps_alive);
        }
        if (answer.framing != Framing::chunked) return;
        unread.erase(0, parser.parse_chunked(unread, [&](std::string_view content) {
            require(!content.empty());
            answer.content += content;
        }));
        answer.is_done = parser.is_done();
    };
    try {
        for (auto left = bytes; !left.empty() && !answer.is_done;) {
            unread += left.substr(0, piece);
            left.remove_prefix(std::min(piece, left.size()));
            read_unread();
        }
    } catch (const ProtocolError& error) {
        answer.error = error.what();
        require(!answer.error.empty() && error.status() == status::not_http);
    }
    require(answer.content.size() <= bytes.size());
    return answer;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr std::array all{Asked::document, Asked::head, Asked::tunnel};
    const auto asked = all[data[0] % all.size()];
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto at_once = read(bytes, asked, bytes.size());
    require(read(bytes, asked, 1) == at_once);
    require(read(bytes, asked, 7) == at_once);
    return 0;
}
