#include "download/attempts.h"

#include "http/connection.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;
using namespace std::chrono_literals;

namespace {

template <typename Thrown> Failure failure(const Thrown& thrown, bool idempotent = true) {
    try {
        throw thrown;
    } catch (...) {
        return current_failure(idempotent);
    }
}

} // namespace

TEST_CASE("a pause doubles up to ten minutes, and a server may name its own") {
    CHECK(pause_before_retry(0, {}, nullptr) == 1s);
    CHECK(pause_before_retry(3, {}, nullptr) == 8s);
    CHECK(pause_before_retry(30, {}, nullptr) == 10min);
    CHECK(pause_before_retry(3, 5s, nullptr) == 5s);
    http::ResponseHead head;
    head.status = 503;
    head.fields = {{"Retry-After", "7"}};
    CHECK(pause_before_retry(0, {}, &head) == 7s);
    head.status = 404;
    CHECK(pause_before_retry(0, {}, &head) == 1s);
}

TEST_CASE("lost connections and busy servers are failures that may pass") {
    using http::Begun;
    using http::ConnectionLost;
    CHECK(failure(ConnectionLost{"x", 56, Begun::yes}).may_pass);
    CHECK_FALSE(failure(ConnectionLost{"x", 56, Begun::no}, false).may_pass);
    CHECK(failure(ConnectionLost{"x", 35, Begun::not_even_asked}, false).may_pass);
    CHECK(failure(http::TransferError{"x", http::status::cannot_connect}, false).may_pass);
    CHECK_FALSE(failure(http::TransferError{"x", http::status::bad_checksum}).may_pass);
    CHECK(failure(TimedOut{"x"}).status == 28);
    CHECK(failure(SysError{"write", "f", 28}).status == 23);
    CHECK_FALSE(failure(net::TlsError{"x", 60}).may_pass);
    CHECK(may_pass(503));
    CHECK_FALSE(may_pass(404));
}

TEST_CASE("attempts end with their number or their time") {
    DownloadOptions options;
    options.retries = 2;
    options.retry_pause = 1ms;
    Attempts attempts{options};
    CHECK(attempts.next(nullptr).has_value());
    CHECK(attempts.wait_for_next(nullptr));
    CHECK(attempts.wait_for_next(nullptr));
    CHECK_FALSE(attempts.wait_for_next(nullptr));
    CHECK(attempts.retries() == 2);
    options.retry_limit = 1s;
    options.retry_pause = 1h;
    Attempts limited{options};
    CHECK_FALSE(limited.next(nullptr).has_value());
    CHECK_FALSE(limited.wait_for_next(nullptr));
}
