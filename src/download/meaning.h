// The meaning of an answer for the document that was asked for.
#pragma once

#include "download/leftover.h"
#include "http/response_parser.h"

#include <ctime>
#include <optional>
#include <string>

namespace ipcbox::download {

enum class Meaning {
    document,      // the body is the document from its beginning
    part,          // the body is a part of the document, as the user wanted
    rest,          // the body follows the bytes that are here
    all_here,      // the bytes that are here are the document
    unchanged,     // the user's date, or condition, excludes the document
    other_version, // the bytes that are here belong to another version: start over
    refused        // the body belongs to an error, or to a redirect that is not followed
};

struct Expectation {
    Continuation continuation;             // the request, as the bytes that are here demand it
    std::optional<std::string> range;      // the user's --range
    std::optional<std::time_t> newer_than; // the user's date
    std::optional<std::time_t> not_newer_than;
    bool redirects_are_documents = false; // the user wants to see heads
    bool range_is_users_business = false; // the user wrote a Range field
    bool is_conditional = false;          // the user wrote a field such as If-None-Match
};

// Throws TransferError with status cannot_resume when the server sends other bytes than those we
// asked for, and ProtocolError for a 101, after which the connection would no longer speak HTTP.
[[nodiscard]] Meaning meaning_of(const http::ResponseHead& head, const Expectation& expected);

} // namespace ipcbox::download
