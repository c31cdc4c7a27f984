#include "core/io.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/signals.h"
#include "harness/environment.h"
#include "harness/scenario.h"
#include "harness/tls_peer.h"
#include "net/connect.h"
#include "net/tls_process.h"
#include "net/tls_protocol.h"
#include "tls/sandbox.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <future>
#include <openssl/ssl.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

using std::chrono::hours;

constexpr std::size_t max_bytes = 256UL * 1024 * 1024;

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

// An authority, one of its certificates, and options that trust the authority.
struct World {
    Scenario scenario;
    Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    Certificate good{{}, &authority};
    net::TlsOptions options;

    World() {
        scenario.write_file("ca.pem", authority.pem());
        options.name = "localhost";
        options.ca_file = scenario.path("ca.pem");
    }
    [[nodiscard]] TlsPeer server(TlsPeer::Work work) const {
        return {{.certificate = &good}, std::move(work)};
    }
};

Fd connect_to(const net::Address& address) {
    return net::connect_tcp({&address, 1}, address.text(), {}, soon());
}

net::TlsProcess talk_to(const TlsPeer& peer, const net::TlsOptions& options) {
    return {connect_to(peer.address()), options, soon()};
}

std::string receive_all(const net::TlsProcess& tls) {
    return read_to_end(tls.in(), max_bytes, "plain bytes", soon());
}

void say(const net::TlsProcess& tls, std::string_view text) {
    write_all(tls.out(), text, "plain bytes", soon());
}

void say_end(const net::TlsProcess& tls) {
    ::shutdown(tls.out(), SHUT_WR);
}

// The TlsError of ACTION as "60 words". Empty when there is none.
std::string error_of(const std::function<void()>& action) {
    try {
        action();
        return {};
    } catch (const net::TlsError& error) {
        CHECK(error.status() == exit_status::failed);
        return fmt::format("{} {}", error.curl_status(), error.what());
    }
}

void greet(TlsConnection& client) {
    client.say("hello\n");
    client.end();
}

// The error of a handshake with a server that has CERTIFICATE.
std::string handshake_with(const Certificate& certificate, const net::TlsOptions& options,
                           const Certificate* issuer = nullptr) {
    const TlsPeer server{{.certificate = &certificate, .issuer = issuer}, greet};
    return error_of([&] { (void)talk_to(server, options); });
}

} // namespace

TEST_CASE("a greeting and an answer pass") {
    const World world;
    std::string asked;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        const TlsPeer server{{.certificate = &world.good, .version = version},
                             [&](TlsConnection& client) {
                                 asked = client.asked_name();
                                 client.say("hello " + client.receive_at_least(5));
                                 client.end();
                             }};
        auto tls = talk_to(server, world.options);
        CHECK(tls.description().starts_with(version == TLS1_2_VERSION ? "TLSv1.2 ECDHE-"
                                                                      : "TLSv1.3 TLS_AES_"));
        say(tls, "world");
        CHECK(receive_all(tls) == "hello world");
        tls.check();
        tls.check_end(soon());
        CHECK(asked == "localhost");
    }
    // We do not talk to a server that knows only an old version.
    const TlsPeer server{{.certificate = &world.good, .version = TLS1_1_VERSION}, greet};
    CHECK(error_of([&] { (void)talk_to(server, world.options); }).starts_with("35 "));
}

TEST_CASE("the certificate must fit") {
    World world;
    auto& options = world.options;
    const auto cannot = [&](std::string_view reason) {
        return fmt::format("60 cannot speak TLS with {}: {}", options.name, reason);
    };
    SUBCASE("an address sends no server name") {
        options.name = "127.0.0.1";
        std::string asked = "?";
        const auto server = world.server([&](TlsConnection& client) {
            asked = client.asked_name();
            greet(client);
        });
        auto tls = talk_to(server, options);
        CHECK(receive_all(tls) == "hello\n");
        tls.check_end(soon());
        CHECK(asked.empty());
        options.name = "127.0.0.2";
        CHECK(handshake_with(world.good, options) ==
              cannot("the certificate is for localhost, 127.0.0.1, not for 127.0.0.2"));
        options.name = "::1%lo";
        CHECK(handshake_with(Certificate{{.names = "IP:::1"}, &world.authority}, options).empty());
    }
    SUBCASE("another name is rejected") {
        CHECK(handshake_with(
                  Certificate{{.names = "DNS:a.example,DNS:*.b.example"}, &world.authority},
                  options) ==
              cannot("the certificate is for a.example, *.b.example, not for localhost"));
        CHECK(handshake_with(
                  Certificate{{.common_name = "a\x1b[2Jb\nc", .names = ""}, &world.authority},
                  options) == cannot("the certificate is for a?[2Jb?c, not for "
                                     "localhost"));
        std::string many = "DNS:0.example";
        for (int at = 1; at < 100; ++at)
            many += fmt::format(",DNS:{}.example", at);
        CHECK(handshake_with(Certificate{{.names = many}, &world.authority}, options) ==
              cannot("the certificate is for 0.example, 1.example, 2.example, 3.example, "
                     "4.example and 95 more, not for localhost"));
        options.name = "x.b.example.";
        CHECK(handshake_with(Certificate{{.names = "DNS:*.b.example"}, &world.authority}, options)
                  .empty());
    }
    SUBCASE("another time is rejected") {
        CHECK(handshake_with(Certificate{{.from = hours{-2}, .until = hours{-1}}, &world.authority},
                             options)
                  .starts_with(cannot("the certificate expired on 20")));
        CHECK(handshake_with(Certificate{{.from = hours{1}, .until = hours{2}}, &world.authority},
                             options)
                  .starts_with(cannot("the certificate is not valid before 20")));
        const Certificate old{
            {.common_name = "Old CA", .from = hours{-2}, .until = hours{-1}, .is_authority = true}};
        world.scenario.write_file("old.pem", old.pem());
        options.ca_file = world.scenario.path("old.pem");
        CHECK(handshake_with(Certificate{{}, &old}, options)
                  .starts_with(cannot("the certificate of its issuer (CN = Old CA) expired on")));
    }
    SUBCASE("an unknown signer is rejected") {
        const Certificate other{{.common_name = "Other CA", .is_authority = true}};
        const Certificate theirs{{}, &other};
        CHECK(handshake_with(theirs, options) ==
              cannot("the certificate comes from an unknown issuer (CN = Other CA)"));
        CHECK(handshake_with(theirs, options, &other) ==
              cannot("the certificate of its issuer (CN = Other CA) comes from an unknown issuer "
                     "(CN = Other CA)"));
        CHECK(handshake_with(Certificate{{}}, options) ==
              cannot("the certificate is self-signed (CN = localhost), and not one of those that "
                     "are trusted"));
        options.ca_file.reset(); // the system trusts none of them
        CHECK(handshake_with(world.good, options) ==
              cannot("the certificate comes from an unknown issuer (CN = Test CA)"));
    }
    SUBCASE("a certificate that the user trusts is accepted") {
        const auto trust = [&](const Certificate& certificate) {
            world.scenario.write_file("named.pem", certificate.pem());
            options.ca_file = world.scenario.path("named.pem");
        };
        const Certificate middle{{.common_name = "Middle CA", .is_authority = true},
                                 &world.authority};
        const Certificate leaf{{}, &middle};
        trust(middle);
        CHECK(handshake_with(leaf, options).empty());
        CHECK(handshake_with(leaf, options, &middle).empty());
        trust(leaf);
        CHECK(handshake_with(leaf, options).empty());
        CHECK(handshake_with(Certificate{{}, &middle}, options)
                  .starts_with(cannot("the certificate comes from an unknown issuer")));
        const Certificate other_name{{.names = "DNS:other"}, &middle};
        trust(other_name);
        CHECK(handshake_with(other_name, options)
                  .starts_with(cannot("the certificate is for other, not for localhost")));
    }
    SUBCASE("another version is rejected") {
        options.min_version = "1.3";
        CHECK(handshake_with(world.good, options).empty());
        options.min_version.reset();
        options.max_version = "1.2";
        CHECK(handshake_with(world.good, options).empty());
    }
    SUBCASE("a weak key is rejected") {
        constexpr unsigned bits = 1024;
        CHECK(handshake_with(Certificate{{.rsa_bits = bits}, &world.authority}, options) ==
              cannot("the certificate has too weak a key (RSA, 1024 bits)"));
    }
    SUBCASE("a signer that is not an authority is rejected") {
        const Certificate sub{{.common_name = "No CA"}, &world.authority};
        CHECK(handshake_with(Certificate{{}, &sub}, options, &sub)
                  .starts_with(cannot("the certificate of its issuer (CN = No CA) is refused: ")));
    }
    SUBCASE("without verification, any certificate is accepted") {
        options.insecure = true;
        options.ca_file.reset();
        CHECK(handshake_with(Certificate{{.names = "DNS:a.example", .until = hours{-1}}}, options)
                  .empty());
    }
}

TEST_CASE("the system's certificates can be others") {
    World world;
    world.options.ca_file.reset();
    {
        const Variable file{"SSL_CERT_FILE", world.scenario.path("ca.pem")};
        CHECK(handshake_with(world.good, world.options).empty());
    }
    world.scenario.shell(
        "mkdir certs; openssl rehash certs; cp ca.pem certs; openssl rehash certs");
    const Variable directory{"SSL_CERT_DIR", world.scenario.path("certs")};
    CHECK(handshake_with(world.good, world.options).empty());
}

TEST_CASE("the server's key must be one of the pins") {
    World world;
    auto& options = world.options;
    const std::string other = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    options.pins = world.good.pin();
    CHECK(handshake_with(world.good, options).empty());
    options.pins = other + ";" + world.good.pin();
    CHECK(handshake_with(world.good, options).empty());
    const auto refused =
        "90 cannot speak TLS with localhost: the public key is another one: " + world.good.pin();
    options.pins = other;
    CHECK(handshake_with(world.good, options) == refused);
    options.insecure = true;
    CHECK(handshake_with(world.good, options) == refused);

    CHECK(net::parse_pins(other + ";" + other) == other + ";" + other);
    for (const auto& wrong : {std::string{}, std::string{"sha256//"}, other + ";", ";" + other,
                              other.substr(1), "sha1//" + other.substr(8)})
        CHECK_THROWS_AS((void)net::parse_pins(wrong), std::invalid_argument);
}

TEST_CASE("a server that does not agree on the application protocol is an error") {
    World world;
    const auto server = world.server(greet); // this server knows no ALPN, and ignores it
    world.options.application_protocol = "h2";
    CHECK(error_of([&] { (void)talk_to(server, world.options); }) ==
          "35 cannot speak TLS with localhost: the server does not speak h2 (ALPN)");
}

TEST_CASE("a process that was not waited for tells later what became of the handshake") {
    World world;
    const auto server = world.server([](TlsConnection& client) {
        client.say("hello " + client.receive_at_least(5));
        client.end();
    });
    SUBCASE("it succeeds, and data that was written before its end is sent after it") {
        net::TlsProcess tls{connect_to(server.address()), world.options};
        say(tls, "early");
        CHECK(receive_all(tls) == "hello early");
        tls.check_end(soon());
        CHECK(tls.description().starts_with("TLSv1.3"));
    }
    SUBCASE("it fails") {
        world.options.name = "example.org";
        net::TlsProcess tls{connect_to(server.address()), world.options};
        const auto failure = error_of([&] {
            REQUIRE(wait_for(tls.out(), POLLIN, soon()));
            tls.check();
        });
        CHECK(failure.starts_with("60 cannot speak TLS with example.org: "));
    }
}

TEST_CASE("files of ours that cannot be used are errors") {
    World world;
    auto& scenario = world.scenario;
    auto& options = world.options;
    SUBCASE("certificates to trust") {
        options.ca_file = scenario.path("missing");
        CHECK(handshake_with(world.good, options) ==
              fmt::format("77 cannot speak TLS with localhost: cannot read certificates from {}: "
                          "No such file or directory",
                          scenario.path("missing")));
        scenario.write_file("empty", "");
        options.ca_file = scenario.path("empty");
        CHECK(handshake_with(world.good, options)
                  .starts_with("77 cannot speak TLS with localhost: cannot read certificates"));
    }
    SUBCASE("our own certificate") {
        const Certificate ours{{.common_name = "client"}, &world.authority};
        scenario.write_file("ours.pem", ours.pem());
        scenario.write_file("key.pem", ours.key_pem());
        scenario.write_file("both.pem", ours.pem() + ours.key_pem());
        const TlsPeer server{{.certificate = &world.good, .client_issuer = &world.authority},
                             greet};
        const auto talk = [&] {
            return error_of([&] {
                auto tls = talk_to(server, options);
                const auto got = receive_all(tls);
                tls.check_end(soon());
                CHECK(got == "hello\n");
            });
        };
        // In TLS 1.3, this alert comes after the handshake.
        CHECK(talk() == "56 cannot read localhost to its end: tlsv13 alert certificate required");
        options.certificate = scenario.path("both.pem");
        CHECK(talk().empty());
        options.certificate = scenario.path("ours.pem");
        CHECK(talk().starts_with("58 cannot speak TLS with localhost: cannot use the key in "));
        options.key = scenario.path("key.pem");
        CHECK(talk().empty());
        scenario.write_file("key.pem", world.good.key_pem());
        CHECK(talk().starts_with("58 "));
        // ipcbox-tls must not ask for a passphrase.
        scenario.shell("openssl pkey -in both.pem -aes128 -passout pass:secret -out key.pem");
        CHECK(talk().starts_with("58 "));
        options.certificate = scenario.path("missing");
        CHECK(talk().starts_with("58 cannot speak TLS with localhost: cannot use the certificate"));
    }
}

TEST_CASE("a peer that does not speak TLS is an error") {
    World world;
    const auto talk = [&](const Peer& peer) {
        return error_of([&] {
            (void)net::TlsProcess{connect_to(peer.address()), world.options, soon()};
        });
    };
    const std::string failed = "35 cannot speak TLS with localhost: the handshake failed: ";
    const Peer other{[](const Fd& client) {
        say(client, "220 mail.example.org ESMTP\r\n");
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // a close with unread input would be a reset
    }};
    CHECK(talk(other) == failed + "the answer is not TLS");
    const Peer silent{[](const Fd& client) { ::shutdown(client.get(), SHUT_WR); }};
    CHECK(talk(silent) == failed + "the peer closed the connection without a word");
    const Peer rude{[](const Fd& client) {
        std::array<char, 1> byte{}; // read first, so that the connect itself succeeds
        (void)::recv(client.get(), byte.data(), byte.size(), 0);
        reset_when_closed(client);
    }};
    CHECK(talk(rude) == failed + "Connection reset by peer");
    // The server announces the largest record of a handshake, and never sends it.
    const Peer slow{[](const Fd& client) {
        say(client, {"\x16\x03\x03\x40\x00", 5});
        (void)receive_all(client);
    }};
    CHECK_THROWS_WITH_AS((net::TlsProcess{connect_to(slow.address()), world.options,
                                          Deadline::after(std::chrono::milliseconds{50})}),
                         "timed out: the TLS handshake with localhost", TimedOut);
    for (const char garbage : {'\0', '\x14', '\x15', '\x16', '\x17', '\xff'}) {
        const Peer noise{[&](const Fd& client) {
            say(client, "\x16\x03\x03" + std::string(70'000, garbage));
            (void)receive_all(client);
        }};
        CHECK(talk(noise).starts_with(failed));
    }
}

TEST_CASE("an answer that was cut off is not complete") {
    const World world;
    const auto end_of = [&](const TlsPeer& server, std::string_view expected) {
        auto tls = talk_to(server, world.options);
        CHECK(receive_all(tls) == expected);
        return error_of([&] { tls.check_end(soon()); });
    };
    const auto cut = world.server([](TlsConnection& client) { client.say("some"); });
    CHECK(end_of(cut, "some") == "56 cannot read localhost to its end: the peer closed the "
                                 "connection without a word");
    const auto reset = world.server([](TlsConnection& client) {
        (void)client.receive(); // does not read it to the end
        client.reset();
    });
    {
        auto tls = talk_to(reset, world.options);
        say(tls, "x");
        CHECK(receive_all(tls).empty());
        CHECK(error_of([&] { tls.check(); }) ==
              "56 cannot read localhost to its end: Connection reset by peer");
    }
    const auto forged = world.server([](TlsConnection& client) {
        client.say("some");
        say(client.socket(), std::string{"\x17\x03\x03\x00\x14", 5} + std::string(20, 'x'));
        (void)client.receive();
    });
    CHECK(end_of(forged, "some") ==
          "56 cannot read localhost to its end: decryption failed or bad record mac");
}

TEST_CASE("each direction ends by itself") {
    const World world;
    SUBCASE("our direction first") {
        const auto server = world.server([](TlsConnection& client) {
            client.say(fmt::format("{} bytes", client.receive_all().size()));
            client.end();
        });
        auto tls = talk_to(server, world.options);
        say(tls, "12345");
        say_end(tls);
        CHECK(receive_all(tls) == "5 bytes");
        tls.check_end(soon());
    }
    SUBCASE("the peer's direction first") {
        std::promise<std::string> got;
        const auto server = world.server([&](TlsConnection& client) {
            client.end();
            got.set_value(client.receive_all());
        });
        auto tls = talk_to(server, world.options);
        CHECK(receive_all(tls).empty());
        const auto text = numbered_text(1'000'000);
        say(tls, text);
        tls.check_end(soon());
        CHECK(got.get_future().get() == text);
    }
}

TEST_CASE("bytes that could not be sent are an error") {
    const BlockedSignals blocked{signal_set({SIGPIPE})};
    const World world;
    std::promise<void> end_seen;
    const auto server = world.server([&](TlsConnection& client) {
        client.end();
        end_seen.get_future().wait();
        client.reset();
    });
    auto tls = talk_to(server, world.options);
    CHECK(receive_all(tls).empty());
    end_seen.set_value();
    // The reset may still be on its way.
    CHECK(eventually([&] {
        try {
            say(tls, "more");
            return false;
        } catch (const SysError& error) {
            return error.error() == EPIPE || error.error() == ECONNRESET;
        }
    }));
    CHECK(
        error_of([&] { tls.check_end(soon()); }).starts_with("55 cannot send all to localhost: "));
}

TEST_CASE("much data passes both ways at once") {
    const World world;
    const auto server = world.server([](TlsConnection& client) {
        for (auto text = client.receive(); !text.empty(); text = client.receive())
            client.say(text);
        client.end();
    });
    constexpr std::size_t size = 64UL * 1024 * 1024;
    const auto text = numbered_text(size);
    auto tls = talk_to(server, world.options);
    const auto sent = std::async(std::launch::async, [&] {
        say(tls, text);
        say_end(tls);
    });
    CHECK(receive_all(tls) == text);
    sent.wait();
    tls.check_end(soon());
}

TEST_CASE("the process that speaks TLS") {
    World world;
    const auto wait_for_more = [](TlsConnection& client) { (void)client.receive_all(); };
    SUBCASE("is killed") {
        const auto server = world.server([](TlsConnection& client) {
            client.say("some");
            (void)client.receive_all();
        });
        auto tls = talk_to(server, world.options);
        std::array<std::byte, 4> some{};
        CHECK(read_exact(tls.in(), some, "plain bytes", soon()) == some.size());
        for (const pid_t child : children_of(::getpid()))
            ::kill(child, SIGKILL);
        CHECK(receive_all(tls).empty());
        CHECK(error_of([&] { tls.check_end(soon()); }) ==
              "56 cannot read localhost to its end: ipcbox-tls: killed by KILL");
    }
    SUBCASE("has few rights") {
        const auto server = world.server(wait_for_more);
        const auto tls = talk_to(server, world.options);
        const auto children = children_of(::getpid());
        REQUIRE(children.size() == 1);
        const auto path = fmt::format("/proc/{}/status", children.front());
        const auto status = read_to_end(open_file(path, O_RDONLY).get(), 100'000, path);
        CHECK(status.find("NoNewPrivs:\t1\n") != std::string::npos);
#ifndef IPCBOX_ADDRESS_SANITIZER
        CHECK(status.find("Seccomp:\t2\n") != std::string::npos);
#endif
        CHECK(count_descriptors(children.front()) == 3);
    }
    SUBCASE("ends with its parent") {
        const auto server = world.server(wait_for_more);
        { const auto tls = talk_to(server, world.options); }
        CHECK(children_of(::getpid()).empty());
        // It also ends if its parent has no time to end it.
        const Pipe told = make_pipe();
        // fork_child() would refuse: our server is a thread.
        const pid_t forked = ::fork();
        if (forked == 0) {
            const auto tls = talk_to(server, world.options);
            write_all(told.writer.get(), fmt::format("{}", children_of(::getpid()).at(0)), "pid");
            (void)receive_all(tls);
            ::_exit(0);
        }
        Child parent{forked, std::move(open_process(forked).value())};
        std::array<char, 20> pid{};
        CHECK(read_some(told.reader.get(), std::as_writable_bytes(std::span{pid}), "pid", soon()) >
              0);
        const auto handle = open_process(std::atoi(pid.data()));
        REQUIRE(handle);
        parent.kill(SIGKILL);
        CHECK(parent.wait().signal() == SIGKILL);
        CHECK(wait_for(handle->get(), POLLIN, soon()));
    }
    SUBCASE("is reported if it is missing") {
        const auto server = world.server(wait_for_more);
        const char* const before = std::getenv("IPCBOX_TLS");
        REQUIRE(before != nullptr);
        const std::string path = before;
        {
            const Variable nowhere{"IPCBOX_TLS", "/nowhere/ipcbox-tls"};
            CHECK_THROWS_WITH_AS((void)talk_to(server, world.options),
                                 "cannot speak TLS: ipcbox-tls was not found (/nowhere/ipcbox-tls)",
                                 Error);
        }
        {
            const Variable other{"IPCBOX_TLS", "/bin/true"};
            CHECK_THROWS_WITH_AS((void)talk_to(server, world.options),
                                 "cannot speak TLS: ipcbox-tls: exit 0", Error);
        }
        world.scenario.shell("echo 'echo ipcbox-tls: no libssl.so >&2' >script; chmod +x script;"
                             "sed -i 1i#!/bin/sh script");
        {
            const Variable other{"IPCBOX_TLS", world.scenario.path("script")};
            CHECK_THROWS_WITH_AS((void)talk_to(server, world.options),
                                 "cannot speak TLS: ipcbox-tls: no libssl.so", Error);
        }
        ::setenv("IPCBOX_TLS", path.c_str(), 1);
    }
}

TEST_CASE("several threads can make connections at once") {
    const World world;
    constexpr int threads = 8;
    constexpr int rounds = 5;
    std::vector<std::future<int>> talks;
    for (int thread = 0; thread < threads; ++thread)
        talks.push_back(std::async(std::launch::async, [&] {
            const auto server = world.server(greet);
            int good = 0;
            for (int round = 0; round < rounds; ++round) {
                auto tls = talk_to(server, world.options);
                good += receive_all(tls) == "hello\n" ? 1 : 0;
                tls.check_end(soon());
            }
            return good;
        }));
    for (auto& talk : talks)
        CHECK(talk.get() == rounds);
}
