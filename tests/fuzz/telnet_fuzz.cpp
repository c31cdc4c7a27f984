// The telnet filter: bytes from a server to a client that refuses all of its options.
#include "net/telnet.h"
#include "require.h"

#include <cstdint>
#include <set>

using namespace ipcbox;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size}; // NOLINT
    net::TelnetFilter whole;
    const auto text = whole.next(bytes);
    const auto replies = whole.take_replies();
    require(text.size() <= size);
    require(replies.size() <= size);
    require(replies.size() % 3 == 0);
    std::set<std::string> refused;
    for (std::size_t at = 0; at < replies.size(); at += 3) {
        const auto verb = static_cast<unsigned char>(replies[at + 1]);
        require(replies[at] == '\xff' && (verb == 252 || verb == 254)); // WONT, DONT
        refused.insert(replies.substr(at, 3));
    }
    require(refused.size() * 3 == replies.size()); // refused only once
    // In any pieces, the result is the same.
    net::TelnetFilter pieces;
    std::string joined;
    std::string answered;
    for (const char byte : bytes) {
        joined += pieces.next({&byte, 1});
        answered += pieces.take_replies();
    }
    require(joined == text && answered == replies);
    // A filter on the server's side gives back what a client has escaped.
    net::TelnetFilter server;
    require(server.next(net::TelnetFilter::escaped(bytes)) == bytes);
    require(server.take_replies().empty());
    return 0;
}
