#include "server/proxy_protocol.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>

using namespace ipcbox;
using namespace std::string_literals;
using State = server::ProxyHeader::State;

namespace {

server::ProxyHeader parse(std::string_view text) {
    return server::ProxyHeader::parse(std::as_bytes(std::span{text}));
}

// Parses a header that must be complete at its own length, and not before. More bytes may follow.
server::ProxyHeader parse_whole(const std::string& text) {
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK(parse(std::string_view{text}.substr(0, size)).state == State::needs_more);
    const auto header = parse(text);
    CHECK(header.state == State::complete);
    CHECK(header.length == text.size());
    CHECK(parse(text + "PROXY").length == text.size());
    return header;
}

// "192.0.2.1:80 > 192.0.2.2:443", "none"
std::string ends(const std::string& text) {
    const auto header = parse_whole(text);
    if (!header.source || !header.destination) return "none";
    return fmt::format("{} > {}", header.source->text(), header.destination->text());
}

// Why the header is bad. More bytes after it change nothing.
std::string reason(const std::string& text) {
    const auto header = parse(text);
    if (header.state != State::bad) return "not bad";
    CHECK(parse(text + "\r\n").reason == header.reason);
    CHECK(header.length == 0);
    return std::string{header.reason};
}

std::string binary(char command, char family, const std::string& block) {
    const auto size = static_cast<unsigned>(block.size());
    return "\r\n\r\n\0\r\nQUIT\n"s + command + family + static_cast<char>(size >> 8U) +
           static_cast<char>(size & 0xffU) + block;
}

constexpr char local = 0x20;
constexpr char proxy = 0x21;

std::string padded(std::string path) {
    path.resize(108);
    return path;
}

} // namespace

TEST_CASE("a line of version 1 has the client and our address") {
    CHECK(ends("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n") ==
          "192.0.2.1:56324 > 192.0.2.2:443");
    CHECK(ends("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") ==
          "255.255.255.255:65535 > 255.255.255.255:65535");
    CHECK(ends("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n") == "0.0.0.0:0 > 0.0.0.0:0");
    CHECK(ends("PROXY TCP6 2001:db8::1 ::1 1 2\r\n") == "[2001:db8::1]:1 > [::1]:2");
    CHECK(ends("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n") == "192.0.2.1:1 > [::1]:2");
    CHECK(ends("PROXY UNKNOWN\r\n") == "none");
    CHECK(ends("PROXY UNKNOWN whatever \t it says\r\n") == "none");
    // The longest line of the specification has 107 bytes.
    const std::string all_ones = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    const auto longest = fmt::format("PROXY UNKNOWN {} {} 65535 65535\r\n", all_ones, all_ones);
    REQUIRE(longest.size() == 107);
    CHECK(ends(longest) == "none");
}

TEST_CASE("a wrong line of version 1 is refused with the reason") {
    constexpr auto addresses = "expected two addresses and two ports";
    for (const auto* words :
         {"TCP4 ", "TCP4 192.0.2.1", "TCP4 192.0.2.1 192.0.2.2 1", "TCP4 192.0.2.1 192.0.2.2 1 ",
          "TCP4 192.0.2.1  192.0.2.2 1 2", "TCP4 192.0.2.1 192.0.2.2 1 2 ",
          "TCP4 192.0.2.1 192.0.2.2 1 2 3", "TCP4 192.0.2.1 192.0.2.2 1 65536",
          "TCP4 192.0.2.1 192.0.2.2 01 2", "TCP4 192.0.2.1 192.0.2.2 -1 2",
          "TCP4 192.0.2.1 192.0.2.2 +1 2", "TCP4 192.0.2.1 192.0.2.2 http 2",
          "TCP4 192.0.02.1 192.0.2.2 1 2", "TCP4 192.0.2 192.0.2.2 1 2", "TCP4 ::1 ::1 1 2",
          "TCP6 192.0.2.1 192.0.2.2 1 2", "TCP6 [::1] ::1 1 2", "TCP6 ::1%lo ::1 1 2"})
        CHECK(reason(fmt::format("PROXY {}\r\n", words)) == addresses);
    CHECK(reason("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"s) == addresses);
    for (const auto* words : {"", "TCP4", "TCP5 192.0.2.1 192.0.2.2 1 2", "UNKNOWNS", "UDP4 ",
                              "tcp4 192.0.2.1 192.0.2.2 1 2", " TCP4 192.0.2.1 192.0.2.2 1 2"})
        CHECK(reason(fmt::format("PROXY {}\r\n", words)) == "expected TCP4, TCP6 or UNKNOWN");
    for (const auto* line : {"PROXY UNKNOWN\n", "PROXY UNKNOWN\r \r\n", "PROXY \n"})
        CHECK(reason(line) == "expected CR LF at the end of the line");
    CHECK(reason("PROXY UNKNOWN " + std::string(93, 'x')) == "expected a line of 107 bytes");
    CHECK(reason("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n") ==
          "expected a line of 107 bytes");
}

TEST_CASE("bytes that are not a header are refused") {
    for (const auto* text :
         {"GET / HTTP/1.1\r\n", "proxy ", "PROXY\t", "PROXYTCP4", "\n", "\r\n\r\r"})
        CHECK(reason(text) == "expected a PROXY protocol header");
    CHECK(parse("").state == State::needs_more);
    CHECK(server::ProxyHeader::parse({}).state == State::needs_more);
}

TEST_CASE("a header of version 2 has the addresses of each family") {
    const auto four = "\xc0\0\2\1\xc0\0\2\2\x1f\x90\1\xbb"s;
    for (const char family : {'\x11', '\x12'})
        CHECK(ends(binary(proxy, family, four)) == "192.0.2.1:8080 > 192.0.2.2:443");
    const auto six =
        "\x20\1\r\xb8"s + std::string(11, '\0') + '\1' + std::string(15, '\0') + "\1\0\1\0\2"s;
    for (const char family : {'\x21', '\x22'})
        CHECK(ends(binary(proxy, family, six)) == "[2001:db8::1]:1 > [::1]:2");
    const auto mapped =
        std::string(10, '\0') + "\xff\xff\xc0\0\2\1"s + std::string(15, '\0') + "\1\0\1\0\2"s;
    CHECK(ends(binary(proxy, '\x21', mapped)) == "192.0.2.1:1 > [::1]:2");
    for (const char family : {'\x31', '\x32'})
        CHECK(ends(binary(proxy, family, padded("/run/a") + padded("/run/b"))) ==
              "/run/a > /run/b");
    CHECK(ends(binary(proxy, '\x31', padded("\0name"s) + padded(""))) == "@name > ");
    CHECK(ends(binary(proxy, '\x31', std::string(108, 'a') + padded("/b"))) ==
          std::string(108, 'a') + " > /b");
    // The address must equal the one that the kernel would give.
    const auto header = parse_whole(binary(proxy, '\x31', padded("\0name"s) + padded("/run/b")));
    CHECK(header.source == net::Address::unix_path("@name"));
    CHECK(header.destination == net::Address::unix_path("/run/b"));
    CHECK(parse_whole(binary(proxy, '\x11', four)).source ==
          net::Address::parse_ip("192.0.2.1", 8080));
}

TEST_CASE("other fields of a proxy's header are skipped if they are complete") {
    const auto four = "\xc0\0\2\1\xc0\0\2\2\x1f\x90\1\xbb"s;
    const auto client = "192.0.2.1:8080 > 192.0.2.2:443";
    CHECK(ends(binary(proxy, '\x11', four + "\1\0\2h2"s)) == client);
    CHECK(ends(binary(proxy, '\x11', four + "\1\0\2h2\4\0\0\x20\0\5TLS  "s)) == client);
    // A client's certificate can have a few kilobytes.
    const auto certificate = [&four](std::size_t size) {
        const auto high = static_cast<char>(size >> 8U);
        return four + '\x28' + high + static_cast<char>(size & 0xffU) + std::string(size, 'x');
    };
    const auto most = server::ProxyHeader::max_bytes - 16 - four.size() - 3;
    CHECK(ends(binary(proxy, '\x11', certificate(most))) == client);
    CHECK(reason(binary(proxy, '\x11', certificate(most + 1))) == "expected no more than 16 KiB");
    // The length alone shows this.
    CHECK(reason(binary(proxy, '\x11', {}).substr(0, 14) + "\xff\xff") ==
          "expected no more than 16 KiB");
    for (const auto& more : {"\1"s, "\1\0"s, "\1\0\3h2"s, "\1\0\2h2\4\0\1"s, "\1\xff\xff"s})
        CHECK(reason(binary(proxy, '\x11', four + more)) ==
              "expected whole type-length-value entries");
}

TEST_CASE("a header whose checksum is wrong is refused") {
    const auto four = "\xc0\0\2\1\xc0\0\2\2\x1f\x90\1\xbb"s;
    // Another program has calculated these sums (CRC-32C of the header, with zeros in place of the
    // sum).
    CHECK(ends(binary(proxy, '\x11', four + "\3\0\4\052\202\344\255"s)) ==
          "192.0.2.1:8080 > 192.0.2.2:443");
    constexpr auto wrong = "expected another checksum";
    CHECK(reason(binary(proxy, '\x11', four + "\3\0\4\0\0\0\0"s)) == wrong);
    CHECK(reason(binary(proxy, '\x11', four + "\3\0\3\0\0\0"s)) == wrong);
}

TEST_CASE("a proxy that speaks for itself has no client") {
    for (const auto& block : {""s, "whatever"s, std::string(36, '\0')})
        for (const char family : {'\0', '\x11', '\x21', '\x7f'})
            CHECK(ends(binary(local, family, block)) == "none");
    CHECK(ends(binary(proxy, '\0', "")) == "none");
    CHECK(ends(binary(proxy, '\0', "whatever")) == "none");
}

TEST_CASE("a wrong header of version 2 is refused with the reason") {
    for (const char command : {'\0', '\1', '\x10', '\x11', '\x22', '\x2f', '\x30', '\xff'})
        CHECK(reason(binary(command, '\x11', std::string(12, '\0'))) ==
              "expected version 2 and LOCAL or PROXY");
    for (const char family : {'\1', '\x10', '\x13', '\x20', '\x41', '\xff'})
        CHECK(reason(binary(proxy, family, std::string(216, '\0'))) ==
              "expected a known family and protocol");
    constexpr auto room = "expected a length with room for the addresses";
    CHECK(reason(binary(proxy, '\x11', std::string(11, '\0'))) == room);
    CHECK(reason(binary(proxy, '\x21', std::string(35, '\0'))) == room);
    CHECK(reason(binary(proxy, '\x31', std::string(215, '\0'))) == room);
    CHECK(reason(binary(proxy, '\x11', {})) == room);
}
