#include "etcd/status.h"

#include <doctest/doctest.h>

using namespace ipcbox::etcd;

namespace {

CallError::Kind kind(GrpcCode code, std::string message = "") {
    return kind_of({code, std::move(message), false});
}

std::string words(GrpcCode code, std::string message, std::string_view user = "ci") {
    return error_for({code, std::move(message), false}, user).what();
}

} // namespace

TEST_CASE("a status is unavailable when another attempt may help") {
    using Kind = CallError::Kind;
    CHECK(kind(GrpcCode::unavailable, "etcdserver: no leader") == Kind::unavailable);
    CHECK(kind(GrpcCode::deadline_exceeded) == Kind::unavailable);
    CHECK(kind(GrpcCode::canceled) == Kind::unavailable);
    CHECK(kind(GrpcCode::resource_exhausted, "etcdserver: too many requests") == Kind::unavailable);
    // The gateway of etcd 3.4, and proxies, say these.
    CHECK(kind(GrpcCode::unknown, "context deadline exceeded") == Kind::unavailable);
    CHECK(kind(GrpcCode::unknown, "etcdserver: request timed out, possibly due to previous leader "
                                  "failure") == Kind::unavailable);
    CHECK(kind(GrpcCode::unknown, "etcdserver: leader changed") == Kind::unavailable);
}

TEST_CASE("the reason why a watch ended loses the frame that Go's gRPC puts around it") {
    CHECK(words(GrpcCode::permission_denied,
                "rpc error: code = PermissionDenied desc = etcdserver: permission denied") ==
          "etcd denies user ci the permission (permission denied)");
    CHECK(words(GrpcCode::internal, "rpc error: code = Internal") ==
          "etcd says: rpc error: code = Internal");
}

TEST_CASE("a status is denied, gone or refused otherwise") {
    using Kind = CallError::Kind;
    CHECK(kind(GrpcCode::permission_denied) == Kind::denied);
    CHECK(kind(GrpcCode::unauthenticated) == Kind::denied);
    CHECK(kind(GrpcCode::invalid_argument, "etcdserver: authentication failed, invalid user ID or "
                                           "password") == Kind::denied);
    CHECK(kind(GrpcCode::invalid_argument, "etcdserver: user name is empty") == Kind::denied);
    CHECK(kind(GrpcCode::not_found, "etcdserver: requested lease not found") == Kind::gone);
    CHECK(kind(GrpcCode::invalid_argument, "etcdserver: key is not provided") == Kind::refused);
    CHECK(kind(GrpcCode::unimplemented) == Kind::refused);
    CHECK(kind(GrpcCode::resource_exhausted, "etcdserver: mvcc: database space exceeded") ==
          Kind::refused);
    CHECK(kind_of({GrpcCode::unavailable, "no etcd", true}) == Kind::refused);
}

TEST_CASE("a login is made again when the token is over or the users have changed") {
    CHECK(wants_new_token({GrpcCode::unauthenticated, "etcdserver: invalid auth token", false}));
    CHECK(wants_new_token(
        {GrpcCode::invalid_argument, "etcdserver: revision of auth store is old", false}));
    CHECK_FALSE(wants_new_token({GrpcCode::permission_denied, "permission denied", false}));
}

TEST_CASE("each error is one line that says what to do") {
    CHECK(words(GrpcCode::permission_denied, "etcdserver: permission denied") ==
          "etcd denies user ci the permission (permission denied)");
    CHECK(words(GrpcCode::invalid_argument, "etcdserver: user name is empty", "") ==
          "etcd wants a login: set ETCDCTL_USER and ETCDCTL_PASSWORD, or --cert");
    CHECK(words(GrpcCode::resource_exhausted, "etcdserver: mvcc: database space exceeded")
              .find("is full") != std::string::npos);
    CHECK(words(GrpcCode::internal, "bad\n\x1b[31mthing") == "etcd says: bad??[31mthing");
    CHECK(words(GrpcCode::internal, std::string(10'000, 'x')).size() < 400);
}
