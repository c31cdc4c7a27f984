// The messages of etcd's API v3 that we need (etcd's rpc.proto and kv.proto): each request has its
// path, encode(), and an Answer with decode(). decode() throws MalformedMessage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

// A lease is a number between 1 and 2^62 that we choose, so that a request can be repeated.
using LeaseId = std::int64_t;
// Counts the changes of the whole store; never 0 for what exists.
using Revision = std::int64_t;

// The end of a range that begins with PREFIX and has all keys that begin with it.
[[nodiscard]] std::string end_of_prefix(std::string_view prefix);

struct KeyValue {
    std::string key;
    std::string value;
    Revision create_revision = 0;
    Revision mod_revision = 0;
    std::int64_t version = 0;
    LeaseId lease = 0;

    [[nodiscard]] static KeyValue decode(std::string_view message);
};

struct LeaseGrant {
    static constexpr std::string_view path = "/etcdserverpb.Lease/LeaseGrant";
    std::int64_t ttl_s = 0;
    LeaseId id = 0;

    struct Answer {
        std::int64_t ttl_s = 0; // granted by the server: never less than requested
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

// A stream in etcd's API; we send one message on each.
struct LeaseKeepAlive {
    static constexpr std::string_view path = "/etcdserverpb.Lease/LeaseKeepAlive";
    LeaseId id = 0;

    struct Answer {
        std::int64_t ttl_s = 0; // 0: the lease is gone
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

// Deletes the keys of the lease. An unknown lease is CallError::Kind::gone.
struct LeaseRevoke {
    static constexpr std::string_view path = "/etcdserverpb.Lease/LeaseRevoke";
    LeaseId id = 0;

    struct Answer {
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

struct Range {
    static constexpr std::string_view path = "/etcdserverpb.KV/Range";
    enum class Order : std::uint8_t { none, ascending, descending }; // by create_revision

    std::string key;
    std::string range_end; // empty: only KEY
    std::int64_t limit = 0;
    Order order = Order::none;
    bool keys_only = false;
    Revision max_create_revision = 0;

    struct Answer {
        Revision revision = 0; // of the store; 0 inside the answer of a transaction
        std::vector<KeyValue> found;
        bool more = false;
        // Of the whole range: it ignores max_create_revision and limit.
        std::int64_t count = 0;
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

struct Compare {
    enum class Target : std::uint8_t { version, create_revision, mod_revision, value, lease };
    enum class Relation : std::uint8_t { equal, greater, less, not_equal };

    std::string key;
    Target target = Target::create_revision;
    Relation relation = Relation::equal;
    std::int64_t number = 0; // for every target except value
    std::string value{};
    // All keys from KEY to before this have to fulfil it. A range without any key is like a key
    // that does not exist: its revisions are 0.
    std::string range_end{};

    [[nodiscard]] std::string encode() const;
};

// One step of a transaction.
struct Operation {
    enum class Kind : std::uint8_t { range, put, remove };

    Kind kind = Kind::range;
    Range range{}; // remove uses its key and range_end
    std::string key{};
    std::string value{};
    LeaseId lease = 0;

    [[nodiscard]] static Operation get(Range range);
    [[nodiscard]] static Operation put(std::string key, std::string value, LeaseId lease);
    [[nodiscard]] static Operation remove(std::string key);
    [[nodiscard]] std::string encode() const;
};

struct Transaction {
    static constexpr std::string_view path = "/etcdserverpb.KV/Txn";
    std::vector<Compare> compares; // all must hold
    std::vector<Operation> success;
    std::vector<Operation> failure;

    struct Answer {
        Revision revision = 0; // of the store, after the transaction
        bool succeeded = false;
        // One for each operation that was carried out, in order; found is empty for put, and count
        // is the number of removed keys for remove.
        std::vector<Range::Answer> results;
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

struct Authenticate {
    static constexpr std::string_view path = "/etcdserverpb.Auth/Authenticate";
    std::string user;
    std::string password;

    struct Answer {
        std::string token;
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

// A watch from now on (without start_revision).
struct Watch {
    static constexpr std::string_view path = "/etcdserverpb.Watch/Watch";
    enum class Puts : std::uint8_t { told, left_out };

    std::string key;
    std::string range_end; // empty: only KEY
    Puts puts = Puts::told;

    struct Event {
        enum class Type : std::uint8_t { put, deleted } type = Type::put;
        KeyValue kv; // for deleted: only the key, and the revision in mod_revision
        [[nodiscard]] static Event decode(std::string_view message);
    };
    struct Answer {
        Revision revision = 0;
        bool created = false;
        bool canceled = false;
        Revision compact_revision = 0; // not 0: what we asked for is compacted
        std::string cancel_reason;
        std::vector<Event> events;
        [[nodiscard]] static Answer decode(std::string_view message);
    };
    [[nodiscard]] std::string encode() const;
};

} // namespace ipcbox::etcd
