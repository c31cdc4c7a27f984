// TLS with openssl s_server, a server of another project.
#include "harness/scenario.h"
#include "harness/time_limit.h"
#include "harness/tls_peer.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox::test;

namespace {

struct World {
    Scenario scenario;
    Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    Certificate server{{}, &authority};
    Certificate client{{.common_name = "client", .names = ""}, &authority};

    World() {
        scenario.write_file("ca.pem", authority.pem());
        scenario.write_file("server.pem", server.pem() + server.key_pem());
        scenario.write_file("client.pem", client.pem() + client.key_pem());
    }

    // Starts a server that sends each line back in reverse. PORT becomes its port.
    Process start_server(const std::string& options, std::string& port) {
        auto process = scenario.start_shell(
            "exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -rev " + options);
        std::string line;
        do
            line = process.line();
        while (!line.starts_with("ACCEPT "));
        port = line.substr(line.rfind(':') + 1);
        return process;
    }

    Result talk(const std::string& port, const std::string& options) {
        return scenario.shell(
            fmt::format("tcp-client --tls --half-close -v {} localhost {}", options, port), {},
            "stressed\n");
    }
};

} // namespace

TEST_CASE("tcp-client talks to openssl s_server in each version and with several ciphers") {
    World world;
    struct Case {
        const char* options;
        const char* description;
    };
    for (const Case& offered : {
             Case{"-tls1_3", "TLSv1.3 TLS_AES_256_GCM_SHA384"},
             Case{"-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
                  "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"},
             Case{"-tls1_2 -cipher ECDHE+AES128", "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"},
         }) {
        const std::string options = offered.options;
        CAPTURE(options);
        std::string port;
        const auto server = world.start_server(options, port);
        const auto result = world.talk(port, "--cacert ca.pem");
        CHECK(result.status == 0);
        CHECK(result.out == "desserts\n");
        CHECK(result.err == fmt::format("tcp-client: connected to 127.0.0.1:{}, {}\n", port,
                                        offered.description));
        CHECK(world.talk(port, "").status == 1);
    }
    std::string port;
    const auto old = world.start_server("-tls1_1 -cipher DEFAULT:@SECLEVEL=0", port);
    CHECK(world.talk(port, "--cacert ca.pem").status == 1);
}

TEST_CASE("tcp-client sends its certificate when openssl s_server asks for one") {
    World world;
    std::string port;
    const auto server = world.start_server("-Verify 2 -verify_return_error -CAfile ca.pem", port);
    CHECK(world.talk(port, "--cacert ca.pem --cert client.pem").out == "desserts\n");
    CHECK(world.talk(port, "--cacert ca.pem").status == 1);
}

namespace {

// One of our servers, which speaks TLS, and its port.
struct Served {
    World world;
    Process process;
    std::string port;

    explicit Served(const std::string& options, const std::string& program = "cat")
        : process(world.scenario.start_shell(
              fmt::format("exec forking-tcp-server 127.0.0.1:0 {} -- {}", options, program))) {
        const auto line = process.error_line();
        port = line.substr(line.rfind(':') + 1);
    }
    // Talks to it with our own client.
    Result talk(const std::string& options, std::string_view input = "text\n") {
        return world.scenario.shell(
            fmt::format("tcp-client --tls --half-close {} localhost {}", options, port), {}, input);
    }
};

constexpr auto with_server = "--tls-cert server.pem";

std::string numbers(std::size_t count) {
    std::string text;
    for (std::size_t number = 0; number < count; ++number)
        text += fmt::format("{}\n", number);
    return text;
}

} // namespace

TEST_CASE("a server's program speaks plain bytes to clients that speak TLS") {
    Served served{with_server};
    const auto text = numbers(100'000);
    CHECK(served.talk("--cacert ca.pem", text).out == text);
    Served one_line{with_server, "head -n 1"};
    const auto openssl =
        one_line.world.scenario.shell("openssl s_client -quiet -verify_return_error -CAfile ca.pem "
                                      "-connect localhost:$1 2>/dev/null",
                                      {one_line.port}, "by openssl\n");
    CHECK(openssl.out == "by openssl\n");
    CHECK(served.talk("").err.find("unknown issuer") != std::string::npos);
}

TEST_CASE("command-server offers its commands to clients that speak TLS") {
    World world;
    auto process = world.scenario.start_shell(
        "exec command-server 127.0.0.1:0 --tls-cert server.pem --command 'name=echo {1:word}'");
    const auto line = process.error_line();
    const auto port = line.substr(line.rfind(':') + 1);
    const auto talk = [&](const char* input) {
        return world.scenario
            .shell("tcp-client --tls --half-close --cacert ca.pem localhost $1", {port}, input)
            .out;
    };
    CHECK(talk("name one\nname two\nquit\n").ends_with("Command? one\nCommand? two\nCommand? "));
    CHECK(talk("name three\n").find("three\n") != std::string::npos);
    CHECK(world.scenario.shell("tcp-client localhost $1 </dev/null", {port}).out.find("Welcome") ==
          std::string::npos);
}

TEST_CASE("the client gets all output of a program that prints much and ends immediately") {
    Served served{with_server, "seq 1 300000"};
    const auto result = served.world.scenario.shell(
        "tcp-client --tls --cacert ca.pem localhost $1 </dev/null | tail -n 1", {served.port});
    CHECK(result.out == "300000\n");
    CHECK(result.err.empty());
    // The client gets all of it, even if it has sent bytes that nobody reads.
    const auto talking = served.talk("--cacert ca.pem", numbers(10'000));
    CHECK(talking.out.ends_with("\n300000\n"));
}

TEST_CASE("a program learns the names in its client's certificate") {
    Served served{"--tls-cert server.pem --tls-client-ca ca.pem",
                  "sh -c 'echo $TCPREMOTEIP $SSL_CLIENT_VERIFY $SSL_CLIENT_S_DN "
                  "$SSL_CLIENT_I_DN $SSL_TLS_SNI $SSL_PROTOCOL'"};
    CHECK(served.talk("--cacert ca.pem --cert client.pem", "").out ==
          "127.0.0.1 SUCCESS CN=client CN=Test CA localhost TLSv1.3\n");
    // If a client has no certificate, or one of another issuer, no program is started.
    CHECK(served.talk("--cacert ca.pem", "").out.empty());
    const Certificate stranger{{.common_name = "stranger", .names = ""}};
    served.world.scenario.write_file("stranger.pem", stranger.pem() + stranger.key_pem());
    CHECK(served.talk("--cacert ca.pem --cert stranger.pem", "").out.empty());
    std::string line;
    do
        line = served.process.error_line();
    while (!line.empty() && line.find("no TLS with the client: ") == std::string::npos);
    CHECK(line.starts_with("ipcbox-tls: 127.0.0.1: "));
}

TEST_CASE("a directory holds a certificate for each name") {
    World world;
    REQUIRE(world.scenario
                .shell("mkdir d && cp server.pem d/default.pem && cp server.pem d/localhost.pem")
                .status == 0);
    const Certificate other{{.common_name = "a.example", .names = "DNS:a.example"},
                            &world.authority};
    const Certificate below{{.common_name = "*.b.example", .names = "DNS:*.b.example"},
                            &world.authority};
    world.scenario.write_file("d/a.example.pem", other.pem() + other.key_pem());
    world.scenario.write_file("d/_.b.example.pem", below.pem() + below.key_pem());
    auto server =
        world.scenario.start({"forking-tcp-server", "127.0.0.1:0", "--tls-cert", "d", "--", "cat"});
    const auto line = server.error_line();
    const auto port = line.substr(line.rfind(':') + 1);
    for (const char* name : {"a.example", "A.Example", "x.b.example", "localhost"}) {
        CAPTURE(name);
        CHECK(world.scenario
                  .run({"tcp-client", "--tls", "--half-close", "--cacert", "ca.pem", "--tls-name",
                        name, "127.0.0.1", port},
                       "text")
                  .out == "text");
    }
    CHECK(world.scenario
              .run({"tcp-client", "--tls", "--half-close", "--cacert", "ca.pem", "127.0.0.1", port},
                   "no name")
              .out == "no name");
    // For a name that leads to another directory, the client gets the default certificate.
    CHECK(world.scenario
              .run({"tcp-client", "--tls", "--half-close", "-k", "--tls-name", "../client",
                    "127.0.0.1", port},
                   "text")
              .out == "text");
    // The server uses a renewed certificate at once.
    REQUIRE(world.scenario.shell("cp server.pem d/a.example.pem").status == 0);
    CHECK(world.scenario
              .run({"tcp-client", "--tls", "--cacert", "ca.pem", "--tls-name", "a.example",
                    "127.0.0.1", port})
              .status == 1);
}

TEST_CASE("a client that goes before the handshake, as a health check does, refused nothing") {
    Served served{with_server};
    served.world.scenario.shell("tcp-client -z localhost $1", {served.port});
    std::string line;
    do
        line = served.process.error_line();
    while (!line.empty() && line.find("no TLS with the client: ") == std::string::npos);
    CHECK(line == "ipcbox-tls: 127.0.0.1: no TLS with the client: the handshake failed: the peer "
                  "closed the connection");
}

TEST_CASE("a client that ends its sending before the handshake is let go at once") {
    Served served{"--tls-cert server.pem --handshake-timeout 1h"};
    for (const char* const sent : {"", "\026\003\001", "text\n"}) {
        const auto result =
            served.world.scenario.shell("tcp-client localhost $1", {served.port}, sent);
        CHECK(result.status == 0);
    }
}

TEST_CASE("a client that never finishes the handshake is dropped in time") {
    const auto text_of_fast_one = [](const std::string& limit) {
        Served served{"--tls-cert server.pem --handshake-timeout " + limit};
        const auto silent =
            served.world.scenario.shell("tcp-client localhost $1 </dev/null", {served.port});
        CHECK(silent.status <= 1);
        CHECK(silent.out.empty());
        // The beginning of a handshake, byte by byte, without its end.
        const auto slow = served.world.scenario.shell(
            R"(printf '\026\003\001\002\000\001' | tcp-client --quit-after 20 localhost $1)",
            {served.port});
        CHECK(slow.status <= 1);
        const auto junk = served.world.scenario.shell("tcp-client localhost $1", {served.port},
                                                      "GET / HTTP/1.0\r\n\r\n");
        CHECK(junk.out.find("cat") == std::string::npos);
        return served.talk("--cacert ca.pem").out;
    };
    const std::string whole = "text\n";
    CHECK(with_time_limit(text_of_fast_one, [&](const auto& text) { return text == whole; }) ==
          whole);
}

TEST_CASE("a certificate that cannot be used is an error at the start") {
    World world;
    world.scenario.write_file("junk.pem", "no certificate\n");
    world.scenario.write_file("other-key.pem", world.client.key_pem());
    REQUIRE(world.scenario
                .shell("mkdir empty bad && cp junk.pem bad/a.example.pem && "
                       "openssl x509 -in server.pem -out only.pem && "
                       "openssl pkey -in server.pem -aes256 -passout pass:x -out locked.pem && "
                       "openssl pkey -in server.pem -aes256 -passout pass: -out empty.pem")
                .status == 0);
    const auto start = [&](const std::string& options) {
        return world.scenario.shell(
            fmt::format("forking-tcp-server 127.0.0.1:0 {} -- cat", options));
    };
    for (const auto& [options, reason] :
         {std::pair{"--tls-cert none.pem", "cannot use the certificate in none.pem: No such file"},
          std::pair{"--tls-cert junk.pem",
                    "cannot use the certificate in junk.pem: it has none in PEM form"},
          std::pair{"--tls-cert only.pem",
                    "cannot use the key in only.pem: it has none in PEM form"},
          std::pair{"--tls-cert only.pem --tls-key locked.pem",
                    "cannot use the key in locked.pem: it wants a passphrase"},
          std::pair{"--tls-cert only.pem --tls-key empty.pem",
                    "cannot use the key in empty.pem: it wants a passphrase"},
          std::pair{"--tls-cert server.pem --tls-key other-key.pem",
                    "the key in other-key.pem is not that of the certificate in server.pem"},
          std::pair{"--tls-cert server.pem --tls-client-ca junk.pem",
                    "cannot read certificates from junk.pem"},
          std::pair{"--tls-cert empty", "there is no certificate (NAME.pem) in empty"},
          std::pair{"--tls-cert bad", "cannot use the certificate in bad/a.example.pem"}}) {
        const std::string words = options;
        CAPTURE(words);
        const auto result = start(words);
        CHECK(result.status == 1);
        CAPTURE(result.err);
        CHECK(result.err.find(reason) != std::string::npos);
    }
    CHECK(start("--tls-key server.pem").status == 2);
    CHECK(start("--tls-cert server.pem --record .").status == 2);
    CHECK(start("--tls-cert server.pem --over busy").status == 2);
    CHECK(world.scenario.run({"forking-tcp-server", "127.0.0.1:0", "--tls-cert", "server.pem"})
              .status == 2);
}

TEST_CASE("a server over TLS goes on after HUP, and its time limits hold") {
    const auto text_after_hup = [](const std::string& limit) {
        Served served{"--tls-cert server.pem --max-time " + limit};
        auto held = served.world.scenario.start(
            {"tcp-client", "-s", "--tls", "--cacert", "ca.pem", "localhost", served.port});
        CHECK(held.wait().status <= 1);
        served.process.kill(SIGHUP);
        return served.talk("--cacert ca.pem").out;
    };
    const std::string whole = "text\n";
    CHECK(with_time_limit(text_after_hup, [&](const auto& text) { return text == whole; }) ==
          whole);
}
