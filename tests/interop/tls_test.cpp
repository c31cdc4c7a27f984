// TLS with a server that we did not write: openssl s_server.
#include "harness/scenario.h"
#include "harness/tls_peer.h"

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

    // A server that says each line backwards, and its port.
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

TEST_CASE("openssl s_server, in each version and with several ciphers") {
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

TEST_CASE("openssl s_server wants a certificate of ours") {
    World world;
    std::string port;
    const auto server = world.start_server("-Verify 2 -verify_return_error -CAfile ca.pem", port);
    CHECK(world.talk(port, "--cacert ca.pem --cert client.pem").out == "desserts\n");
    CHECK(world.talk(port, "--cacert ca.pem").status == 1);
}
