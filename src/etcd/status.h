// What it means when etcd answers a call with an error, and the words for it.
#pragma once

#include "core/error.h"
#include "etcd/grpc_connection.h"

#include <string>
#include <string_view>

namespace ipcbox::etcd {

class CallError : public Error {
  public:
    enum class Kind : std::uint8_t {
        unavailable, // no member answered in time, or there is no leader: later it may go well
        denied,      // wrong user or password, or the role lacks the permission
        gone,        // the lease is unknown
        refused,     // anything else: the request or the server is not what the other expects
    };
    CallError(Kind kind, std::string message) : Error(std::move(message)), kind_(kind) {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

  private:
    Kind kind_;
};

// What a status that is not ok means.
[[nodiscard]] CallError::Kind kind_of(const GrpcStatus& status);

// The token has expired, or the users have changed since it was made: log in again.
[[nodiscard]] bool wants_new_token(const GrpcStatus& status);
// The answer to a login where there are no logins.
[[nodiscard]] bool says_no_logins(const GrpcStatus& status);
// The answer to a repeated LeaseGrant whose first attempt was successful.
[[nodiscard]] bool says_lease_exists(const GrpcStatus& status);

// One line for a user who logs in as USER, which may be empty. Foreign control characters do not
// get into it.
[[nodiscard]] CallError error_for(const GrpcStatus& status, std::string_view user);

} // namespace ipcbox::etcd
