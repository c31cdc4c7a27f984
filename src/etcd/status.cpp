#include "etcd/status.h"

#include "core/ascii.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::etcd {

namespace {

bool has(const GrpcStatus& status, std::string_view words) {
    return status.message.find(words) != std::string::npos;
}

std::string cleaned(std::string_view message) {
    constexpr std::string_view own_name = "etcdserver: ";
    constexpr std::size_t max_shown = 300;
    // For the end of a watch, etcd gives an error of Go's gRPC as a text: "rpc error: code =
    // PermissionDenied desc = etcdserver: permission denied".
    constexpr std::string_view before_text = " desc = ";
    if (const auto at = message.find(before_text);
        message.starts_with("rpc error: code = ") && at != std::string_view::npos)
        message.remove_prefix(at + before_text.size());
    if (message.starts_with(own_name)) message.remove_prefix(own_name.size());
    std::string text{message.substr(0, max_shown)};
    std::ranges::replace_if(text, ascii::is_control, '?');
    return text.empty() ? "no reason given" : text;
}

} // namespace

bool wants_new_token(const GrpcStatus& status) {
    return status.code == GrpcCode::unauthenticated || has(status, "invalid auth token") ||
           has(status, "revision of auth store is old");
}

bool says_no_logins(const GrpcStatus& status) {
    return has(status, "authentication is not enabled");
}

bool says_lease_exists(const GrpcStatus& status) {
    return has(status, "lease already exists");
}

CallError::Kind kind_of(const GrpcStatus& status) {
    using Kind = CallError::Kind;
    if (status.is_hopeless) return Kind::refused;
    switch (status.code) {
    case GrpcCode::unavailable:
    case GrpcCode::deadline_exceeded:
    case GrpcCode::canceled:
        return Kind::unavailable;
    case GrpcCode::permission_denied:
    case GrpcCode::unauthenticated:
        return Kind::denied;
    case GrpcCode::not_found:
        return Kind::gone;
    case GrpcCode::resource_exhausted: // "too many requests"; a full database stays full
        return has(status, "space exceeded") ? Kind::refused : Kind::unavailable;
    default:
        break;
    }
    for (const auto* words : {"no leader", "timed out", "leader changed", "deadline exceeded"})
        if (has(status, words)) return Kind::unavailable;
    for (const auto* words :
         {"authentication failed", "user name is empty", "permission denied", "invalid auth token"})
        if (has(status, words)) return Kind::denied;
    return Kind::refused;
}

CallError error_for(const GrpcStatus& status, std::string_view user) {
    using Kind = CallError::Kind;
    const auto kind = kind_of(status);
    const auto who = user.empty() ? std::string{"us"} : fmt::format("user {}", user);
    if (kind == Kind::denied && has(status, "user name is empty"))
        return {kind, "etcd wants a login: set ETCDCTL_USER and ETCDCTL_PASSWORD, or --cert"};
    if (kind == Kind::denied && has(status, "authentication failed"))
        return {kind,
                fmt::format("etcd does not accept the login of {}: wrong user or password", who)};
    if (kind == Kind::denied)
        return {kind,
                fmt::format("etcd denies {} the permission ({})", who, cleaned(status.message))};
    if (has(status, "space exceeded"))
        return {kind, "etcd's database is full: compact and defragment it, then disarm its alarm"};
    return {kind, fmt::format("etcd says: {}", cleaned(status.message))};
}

} // namespace ipcbox::etcd
