// The PROXY protocol: the bytes that a stranger can send first.
#include "require.h"
#include "server/proxy_protocol.h"

using namespace ipcbox;

namespace {

bool is_same(const server::ProxyHeader& one, const server::ProxyHeader& other) {
    return one.state == other.state && one.reason == other.reason && one.length == other.length &&
           one.source == other.source && one.destination == other.destination;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using State = server::ProxyHeader::State;
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto header = server::ProxyHeader::parse(bytes);
    require(header.source.has_value() == header.destination.has_value());
    if (header.state != State::complete) require(header.length == 0 && !header.source);
    if (header.state == State::needs_more) require(size < server::ProxyHeader::max_bytes);
    require((header.state == State::bad) == !header.reason.empty());
    if (header.state == State::complete) {
        require(header.length > 0 && header.length <= size &&
                header.length <= server::ProxyHeader::max_bytes);
        if (header.source) require(header.source->text().size() < 128);
        for (std::size_t less = 0; less < header.length; ++less)
            require(server::ProxyHeader::parse(bytes.first(less)).state == State::needs_more);
        require(is_same(server::ProxyHeader::parse(bytes.first(header.length)), header));
    }
    // The header can come in pieces. A verdict on the first pieces stays when more come.
    for (std::size_t less = 0; less < size; less += 7) {
        const auto early = server::ProxyHeader::parse(bytes.first(less));
        if (early.state != State::needs_more) require(is_same(early, header));
    }
    return 0;
}
