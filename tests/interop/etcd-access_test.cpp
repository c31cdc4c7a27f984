// The client of etcd, and sem-take with it, on servers that demand a login or a certificate.
#include "harness/environment.h"
#include "harness/etcd_client.h"
#include "harness/token_bench.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::etcd;
using namespace std::chrono_literals;

namespace {

// root:root may do everything. ci:secret may use the keys below ipcbox/.
void turn_on_logins(const EtcdCluster& cluster) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"user", "add", "root:root"},
             {"user", "grant-role", "root", "root"},
             {"role", "add", "tokens"},
             {"role", "grant-permission", "tokens", "readwrite", "ipcbox/", "--prefix"},
             {"user", "add", "ci:secret"},
             {"user", "grant-role", "ci", "tokens"},
             {"auth", "enable"}})
        (void)cluster.ctl(words);
}

// This option of etcdctl(1) logs in as root.
const std::string as_root = "--user=root:root";

Access login(const EtcdCluster& cluster, std::string user, std::string password) {
    auto access = access_to(cluster.endpoints());
    access.user = std::move(user);
    access.password = std::move(password);
    return access;
}

// Makes ca.pem, server.pem for 127.0.0.1, and ours.pem, with its key, for the user ci.
constexpr const char* make_certificates = R"(
set -e
new="openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
$new -x509 -subj '/CN=Test CA' -keyout ca.key -out ca.pem
sign="openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -extfile"
echo subjectAltName=IP:127.0.0.1 >server.names
echo extendedKeyUsage=clientAuth >ours.names
$new -subj /CN=etcd -keyout server.key -out server.csr
$sign server.names -in server.csr -out server.pem
$new -subj /CN=ci -keyout ours.key -out ours.csr
$sign ours.names -in ours.csr -out ours.pem
)";

} // namespace

TEST_CASE("etcd is used with a login") {
    Scenario scenario;
    EtcdCluster cluster{scenario.path("."),
                        {.arguments = {"--bcrypt-cost=4", "--auth-token-ttl=1"}}};

    SUBCASE("a server without users needs no login") {
        Client client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
    }
    SUBCASE("a user does what their role permits, and nothing else") {
        turn_on_logins(cluster);
        Client client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
        (void)armed(client, {"ipcbox/x", ""});
        const auto error = failure_of(client, put("other", "x"));
        CHECK(error.kind() == CallError::Kind::denied);
        CHECK(error.what() ==
              std::string{"etcd denies user ci the permission (permission denied)"});
        const auto event = next_of(client, client.watch({"other", ""}));
        CHECK(event.kind == WatchEvent::Kind::lost);
        CHECK(event.is_denied);
    }
    SUBCASE("a wrong password and no login are denied with a line each") {
        turn_on_logins(cluster);
        Client wrong{login(cluster, "ci", "guess")};
        const auto error = failure_of(wrong, put("ipcbox/x", "x"));
        CHECK(error.kind() == CallError::Kind::denied);
        CHECK(error.what() ==
              std::string{"etcd does not accept the login of user ci: wrong user or password"});
        Client none{access_to(cluster.endpoints())};
        const auto missing = failure_of(none, put("ipcbox/x", "x"));
        CHECK(missing.kind() == CallError::Kind::denied);
        CHECK(contains(missing.what(), "etcd wants a login: set ETCDCTL_USER"));
    }
    SUBCASE("an expired login is renewed") {
        turn_on_logins(cluster);
        Client client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
        const auto watch = armed(client, {"ipcbox/x", ""});
        // The connection is idle until the token expires. It lives 1 s, and etcd checks once a
        // second.
        CHECK_FALSE(client.wait_event(Deadline::after(2500ms)));
        const auto next = armed(client, {"ipcbox/y", ""});
        (void)client.call(put("ipcbox/x", "y"), soon());
        CHECK(next_of(client, watch).kv.value == "y");
        client.unwatch(next);
        cluster.restart(0); // the member forgets all tokens
        (void)client.call(put("ipcbox/x", "z"), soon());
        (void)armed(client, {"ipcbox/x", ""});
    }
}

TEST_CASE("etcd is reached over TLS") {
    Scenario scenario;
    REQUIRE(scenario.shell(make_certificates).status == 0);
    EtcdCluster cluster{scenario.path("."),
                        {.arguments = {"--bcrypt-cost=4"},
                         .certificate = scenario.path("server.pem"),
                         .key = scenario.path("server.key"),
                         .authority = scenario.path("ca.pem"),
                         .client_authority = scenario.path("ca.pem")}};
    auto access = access_to(cluster.endpoints());
    access.tls.ca_file = scenario.path("ca.pem");
    access.tls.certificate = scenario.path("ours.pem");
    access.tls.key = scenario.path("ours.key");

    SUBCASE("calls and watches use HTTP/2, which the handshake agreed on") {
        Client client{access};
        const auto watch = armed(client, {"k", ""});
        (void)client.call(put("k", "x"), soon());
        CHECK(next_of(client, watch).kv.value == "x");
    }
    SUBCASE("the common name of a certificate is the user if the server has users") {
        turn_on_logins(cluster);
        Client client{access};
        (void)client.call(put("ipcbox/x", "x"), soon());
        (void)armed(client, {"ipcbox/x", ""});
        CHECK(failure_of(client, put("other", "x")).kind() == CallError::Kind::denied);
    }
    SUBCASE("a call to an untrusted server fails immediately") {
        access.tls.ca_file.reset();
        Client client{access};
        const auto error = failure_of(client, put("k", "x"));
        CHECK(error.kind() == CallError::Kind::refused);
        CHECK(contains(error.what(), "cannot use etcd: https://127.0.0.1"));
        CHECK(contains(error.what(), "issuer"));
    }
    SUBCASE("http:// to it, and no certificate where it wants one, fail with a line") {
        auto plain = access;
        plain.endpoints.front().is_https = false;
        // The call is repeated until its deadline.
        const auto has_hint = [&plain](Duration limit) {
            Client client{plain};
            return contains(failure_of(client, put("k", "x"), Deadline::after(limit)).what(),
                            "(is it for https://?)");
        };
        CHECK((has_hint(1s) || has_hint(20s)));
        access.tls.certificate.reset();
        access.tls.key.reset();
        Client stranger{access};
        const auto error = failure_of(stranger, put("k", "x"));
        CHECK(error.kind() == CallError::Kind::refused);
        CHECK(contains(error.what(), "alert"));
    }
}

TEST_CASE("sem-take with a login") {
    TokenBench bench{{.arguments = {"--bcrypt-cost=4", "--auth-token-ttl=1"}}};
    turn_on_logins(bench.cluster);
    SUBCASE("goes on when the login is over during the wait, and gives the token back") {
        const Variable login{"ETCDCTL_USER", "ci:secret"};
        auto holder = bench.hold({"-j1", "--ttl", "10m"}, "@login");
        auto waiter =
            bench.scenario.start(bench.words({"--ttl", "10m"}, "@login", bench.holding()));
        const auto wait_for_queue = [&](const char* text) {
            return eventually([&] {
                return contains(bench.cluster.ctl({as_root, "get", "--prefix", "--keys-only",
                                                   "--write-out=json", "ipcbox/sem/login/queue/"}),
                                text);
            });
        };
        REQUIRE(wait_for_queue("\"count\":2"));
        CHECK(bench.outlasts("@login", "2500ms"));
        holder.close_input();
        CHECK(holder.wait().status == 5);
        CHECK(waiter.line() == "in");
        CHECK(bench.outlasts("@login", "2500ms"));
        waiter.close_input();
        CHECK(waiter.wait().status == 5);
        CHECK(bench.take({"-n"}, "@login").status == 0);
    }
    SUBCASE("is denied a wrong password, no login, and keys that its role does not have") {
        const auto denied = [&](const char* reason) {
            const auto result = bench.take({"-j1", "--ttl", "10m"}, "@login");
            CHECK(result.status == 125);
            CHECK(result.err == fmt::format("sem-take: cannot take from @login: {}\n", reason));
        };
        denied("etcd wants a login: set ETCDCTL_USER and ETCDCTL_PASSWORD, or --cert");
        const Variable user{"ETCDCTL_USER", "ci"};
        {
            const Variable wrong{"ETCDCTL_PASSWORD", "guess"};
            denied("etcd does not accept the login of user ci: wrong user or password");
        }
        const Variable right{"ETCDCTL_PASSWORD", "secret"};
        const Variable elsewhere{"IPCBOX_ETCD_PREFIX", "elsewhere/"};
        denied("etcd denies user ci the permission (permission denied)");
        CHECK(eventually([&] {
            return contains(bench.cluster.ctl({as_root, "lease", "list"}), "found 0 leases");
        }));
    }
}

TEST_CASE("sem-take whose certificate's common name is its user, where there are logins") {
    Scenario certificates;
    REQUIRE(certificates.shell(make_certificates).status == 0);
    TokenBench bench{{.arguments = {"--bcrypt-cost=4"},
                      .certificate = certificates.path("server.pem"),
                      .key = certificates.path("server.key"),
                      .authority = certificates.path("ca.pem"),
                      .client_authority = certificates.path("ca.pem")}};
    turn_on_logins(bench.cluster);
    const Variable authority{"ETCDCTL_CACERT", certificates.path("ca.pem")};
    const Variable certificate{"ETCDCTL_CERT", certificates.path("ours.pem")};
    const Variable key{"ETCDCTL_KEY", certificates.path("ours.key")};
    auto holder = bench.hold({"-j1"}, "@name");
    CHECK(bench.take({"-nq"}, "@name").status == 1);
    auto waiter = bench.scenario.start(bench.words({}, "@name", bench.holding()));
    holder.close_input();
    CHECK(holder.wait().status == 5);
    CHECK(waiter.line() == "in");
    const Variable elsewhere{"IPCBOX_ETCD_PREFIX", "elsewhere/"};
    CHECK(contains(bench.take({"-j1"}, "@name").err, "the permission (permission denied)"));
}

TEST_CASE("a server that speaks TLS and no HTTP/2 ends sem-take at once, with one line") {
    Scenario scenario;
    REQUIRE(scenario.shell(make_certificates).status == 0);
    const ReservedPort port;
    const auto place = fmt::format("127.0.0.1:{}", port.number());
    auto server = scenario.start(
        {"openssl", "s_server", "-accept", place, "-cert", "server.pem", "-key", "server.key"});
    for (auto line = server.line(); line != "ACCEPT"; line = server.line())
        REQUIRE(server.is_running());
    const auto result = scenario.run(
        {"sem-take", "--etcd", "https://" + place, "--cacert", "ca.pem", "-j1", "@x", "true"});
    CHECK(result.status == 125);
    CHECK(result.err ==
          fmt::format("sem-take: cannot take from @x: cannot use etcd: https://{}: "
                      "cannot speak TLS with 127.0.0.1: the server does not speak h2 (ALPN)\n",
                      place));
}
