// The client of etcd where logins and certificates are asked for.
#include "harness/etcd_client.h"
#include "harness/etcd_cluster.h"
#include "harness/scenario.h"
#include "harness/tls_peer.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::cluster;
using namespace std::chrono_literals;

namespace {

// root:root may do anything; ci:secret may use the keys below ipcbox/.
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

EtcdAccess login(const EtcdCluster& cluster, std::string user, std::string password) {
    auto access = access_to(cluster.endpoints());
    access.user = std::move(user);
    access.password = std::move(password);
    return access;
}

} // namespace

TEST_CASE("etcd with logins") {
    Scenario scenario;
    EtcdCluster cluster{scenario.path("."),
                        {.arguments = {"--bcrypt-cost=4", "--auth-token-ttl=1"}}};

    SUBCASE("a login is not needed where there are none") {
        EtcdClient client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
    }
    SUBCASE("a user does what their role permits, and nothing else") {
        turn_on_logins(cluster);
        EtcdClient client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
        (void)armed(client, {"ipcbox/x", ""});
        const auto error = failure_of(client, put("other", "x"));
        CHECK(error.kind() == EtcdError::Kind::denied);
        CHECK(error.what() ==
              std::string{"etcd denies user ci the permission (permission denied)"});
        const auto event = next_of(client, client.watch({"other", ""}));
        CHECK(event.kind == WatchEvent::Kind::lost);
        CHECK(event.is_denied);
    }
    SUBCASE("a wrong password and no login are denied with a line each") {
        turn_on_logins(cluster);
        EtcdClient wrong{login(cluster, "ci", "guess")};
        const auto error = failure_of(wrong, put("ipcbox/x", "x"));
        CHECK(error.kind() == EtcdError::Kind::denied);
        CHECK(error.what() ==
              std::string{"etcd does not accept the login of user ci: wrong user or password"});
        EtcdClient none{access_to(cluster.endpoints())};
        const auto missing = failure_of(none, put("ipcbox/x", "x"));
        CHECK(missing.kind() == EtcdError::Kind::denied);
        CHECK(contains(missing.what(), "etcd wants a login: set ETCDCTL_USER"));
    }
    SUBCASE("a login that is over is made anew") {
        turn_on_logins(cluster);
        EtcdClient client{login(cluster, "ci", "secret")};
        (void)client.call(put("ipcbox/x", "x"), soon());
        const auto watch = armed(client, {"ipcbox/x", ""});
        // Nothing comes while the time of the token passes, of 1 s, looked at each second.
        CHECK_FALSE(client.wait_event(Deadline::after(2500ms)));
        const auto next = armed(client, {"ipcbox/y", ""});
        (void)client.call(put("ipcbox/x", "y"), soon());
        CHECK(next_of(client, watch).kv.value == "y");
        client.unwatch(next);
        cluster.restart(0); // which forgets all tokens
        (void)client.call(put("ipcbox/x", "z"), soon());
        (void)armed(client, {"ipcbox/x", ""});
    }
}

TEST_CASE("etcd by TLS") {
    Scenario scenario;
    const Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    const Certificate server{{}, &authority};
    const Certificate ours{{.common_name = "ci"}, &authority};
    scenario.write_file("ca.pem", authority.pem());
    scenario.write_file("server.pem", server.pem());
    scenario.write_file("server.key", server.key_pem());
    scenario.write_file("ours.pem", ours.pem() + ours.key_pem());
    EtcdCluster cluster{scenario.path("."),
                        {.arguments = {"--bcrypt-cost=4"},
                         .certificate = scenario.path("server.pem"),
                         .key = scenario.path("server.key"),
                         .authority = scenario.path("ca.pem"),
                         .client_authority = scenario.path("ca.pem")}};
    auto access = access_to(cluster.endpoints());
    access.tls.ca_file = scenario.path("ca.pem");
    access.tls.certificate = scenario.path("ours.pem");

    SUBCASE("calls and watches go by HTTP/2, which the handshake has agreed on") {
        EtcdClient client{access};
        const auto watch = armed(client, {"k", ""});
        (void)client.call(put("k", "x"), soon());
        CHECK(next_of(client, watch).kv.value == "x");
    }
    SUBCASE("a certificate's common name is the user where there are logins") {
        turn_on_logins(cluster);
        EtcdClient client{access};
        (void)client.call(put("ipcbox/x", "x"), soon());
        (void)armed(client, {"ipcbox/x", ""});
        CHECK(failure_of(client, put("other", "x")).kind() == EtcdError::Kind::denied);
    }
    SUBCASE("an untrusted server fails the call at once") {
        access.tls.ca_file.reset();
        EtcdClient client{access};
        const auto error = failure_of(client, put("k", "x"));
        CHECK(error.kind() == EtcdError::Kind::refused);
        CHECK(contains(error.what(), "cannot use etcd: https://127.0.0.1"));
        CHECK(contains(error.what(), "issuer"));
    }
    SUBCASE("http:// to it, and no certificate where it wants one, fail with a line") {
        auto plain = access;
        plain.endpoints.front().is_https = false;
        EtcdClient client{plain};
        MESSAGE(failure_of(client, put("k", "x"), Deadline::after(1s)).what());
        access.tls.certificate.reset();
        EtcdClient stranger{access};
        MESSAGE(failure_of(stranger, put("k", "x"), Deadline::after(1s)).what());
    }
}

TEST_CASE("a TLS server without HTTP/2 is no etcd") {
    Scenario scenario;
    const Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    const Certificate certificate{{}, &authority};
    scenario.write_file("ca.pem", authority.pem());
    const TlsPeer web{{.certificate = &certificate}, [](TlsConnection& client) {
                          client.say("HTTP/1.1 400 Bad Request\r\n\r\n");
                          client.end();
                      }};
    auto access = access_to("https://" + web.text());
    access.tls.ca_file = scenario.path("ca.pem");
    EtcdClient client{access};
    const auto error = failure_of(client, put("k", "x"));
    CHECK(error.kind() == EtcdError::Kind::refused);
    CHECK(contains(error.what(), "the server does not speak h2 (ALPN)"));
}
