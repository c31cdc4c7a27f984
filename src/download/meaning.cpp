#include "download/meaning.h"

#include "download/resumption.h"
#include "http/date.h"
#include "http/failure.h"

#include <fmt/core.h>

namespace ipcbox::download {

namespace {

std::optional<std::time_t> date_of(const http::ResponseHead& head) {
    const auto* date = head.find("Last-Modified");
    return date != nullptr ? http::parse_http_date(*date, std::time(nullptr)) : std::nullopt;
}

// Some servers (nginx is one) send the document unless the dates are equal, even if theirs is
// older, and many ignore If-Unmodified-Since. So we compare ourselves.
bool is_excluded(const http::ResponseHead& head, const Expectation& expected) {
    if (head.status == 412) return expected.not_newer_than && expected.continuation.at == 0;
    const auto modified = head.status == 200 ? date_of(head) : std::nullopt;
    if (!modified) return false;
    return (expected.newer_than && *modified <= *expected.newer_than) ||
           (expected.not_newer_than && *modified > *expected.not_newer_than);
}

// Looks at the answer itself, because the server may have ignored the condition of our request for
// the rest.
bool is_same_version(const http::ResponseHead& head, const Continuation& continuation) {
    if (!continuation.unmodified_since) return version_of(head).may_be(continuation.version);
    const auto modified = date_of(head);
    return modified && *modified <= *continuation.unmodified_since;
}

Meaning meaning_of_rest(const http::ResponseHead& head, const Continuation& continuation) {
    const auto range = content_range(head);
    if (head.status == 416 && range.size == continuation.at &&
        version_of(head).may_be(continuation.version))
        return Meaning::all_here;
    if (head.status == 416 || head.status == 412) return Meaning::other_version;
    const bool fits = range.first == continuation.at && is_same_version(head, continuation);
    return fits ? Meaning::rest : Meaning::other_version;
}

Meaning meaning_of_part(const http::ResponseHead& head, const Expectation& expected) {
    const auto range = content_range(head);
    if (expected.range_is_users_business) return Meaning::part;
    if (expected.range) {
        if (answers_range(*expected.range, range)) return Meaning::part;
        if (const auto first = range.first; first && range.last)
            throw http::TransferError(fmt::format("the server sends bytes {}-{} instead of {}",
                                                  *range.first, *range.last, *expected.range),
                                      http::status::cannot_resume);
        return Meaning::part;
    }
    // We asked for the whole document and got a part. We can complete the part only if it begins
    // with the first byte.
    if (range.first != std::optional<std::uint64_t>{0})
        throw http::TransferError("the server sends an unrequested part of the document",
                                  http::status::cannot_resume);
    return Meaning::document;
}

// Whether the body only tells a reader where the document is. With a 300, the body may be the
// document: a list to choose from.
bool leads_elsewhere(const http::ResponseHead& head) {
    return head.is_redirect() || (head.status > 300 && head.status < 400);
}

} // namespace

Meaning meaning_of(const http::ResponseHead& head, const Expectation& expected) {
    if (head.status == 101)
        throw http::ProtocolError("the server switches to another protocol without a request");
    if (is_excluded(head, expected)) return Meaning::unchanged;
    // If we sent no condition, the server cannot know of any unchanged document.
    if (head.status == 304)
        return expected.newer_than || expected.is_conditional ? Meaning::unchanged
                                                              : Meaning::refused;
    if (expected.continuation.at > 0 &&
        (head.status == 206 || head.status == 412 || head.status == 416))
        return meaning_of_rest(head, expected.continuation);
    if (head.status >= 400) return Meaning::refused;
    if (leads_elsewhere(head))
        return expected.redirects_are_documents ? Meaning::document : Meaning::refused;
    return head.status == 206 ? meaning_of_part(head, expected) : Meaning::document;
}

} // namespace ipcbox::download
