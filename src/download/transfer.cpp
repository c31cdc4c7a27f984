#include "download/transfer.h"

#include "core/ascii.h"
#include "core/error.h"
#include "download/suggested_name.h"
#include "download/whole.h"
#include "http/date.h"
#include "http/failure.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

namespace ipcbox::download {

namespace {

using Clock = Deadline::Clock;

// The date in Last-Modified, if we understand it.
std::optional<std::time_t> modified_of(const http::ResponseHead& head) {
    const auto* date = head.find("Last-Modified");
    return date != nullptr ? http::parse_http_date(*date, std::time(nullptr)) : std::nullopt;
}

} // namespace

Outcome Transfer::run() {
    outcome_.url = target_.url;
    outcome_.file = target_.file;
    outcome_.referer = options_.request.referer;
    outcome_.began = Clock::now();
    do
        try_once();
    while (may_pass_ && attempts_.wait_for_next(outcome_.head ? &*outcome_.head : nullptr));
    if (leftover_.goes_to_output()) show_heads();
    outcome_.uploaded = chain_.uploaded();
    outcome_.retries = attempts_.retries();
    outcome_.ended = Clock::now();
    return std::move(outcome_);
}

// An answer without a document hides no head that the user wants to see: that of a 304, or of a
// failure whose reason they may be looking for.
void Transfer::show_heads() try {
    output_.write(target_.number, chain_.preface(), Deadline::never());
} catch (...) {
    take_failure();
}

// The outcome has the failure for the exception that is being handled.
void Transfer::take_failure() {
    auto failure = current_failure(http::is_idempotent(chain_.method()));
    outcome_.status = failure.status;
    outcome_.error = std::move(failure.error);
    if (failure.tunnel != 0) outcome_.tunnel = failure.tunnel;
    may_pass_ = failure.may_pass || options_.retry_all;
}

void Transfer::try_once() {
    deadline_ = Deadline::after_or_never(options_.time_limit);
    outcome_.error.clear();
    outcome_.status = 0;
    outcome_.warnings.clear();
    may_pass_ = false;
    try {
        attempt();
    } catch (...) {
        take_failure();
    }
    outcome_.bytes = delivery_.received();
}

void Transfer::attempt() {
    chain_.begin(attempts_.retries());
    delivery_.reset();
    if (!options_.server_names_file) leftover_.open();
    for (;;) {
        continuation_ = leftover_.continuation();
        auto response = chain_.ask(continuation_, deadline_);
        try {
            if (receive(response) == Next::done) return;
        } catch (const http::ConnectionLost&) {
            // The server may have cut the answer off because we had sent requests ahead. Ask for
            // this document alone then.
            if (!chain_.can_ask_alone() ||
                (leftover_.goes_to_output() && !leftover_.may_begin_again() &&
                 leftover_.continuation().at == 0))
                throw;
        }
    }
}

Expectation Transfer::expectation() const {
    constexpr std::array conditions{"If-None-Match", "If-Modified-Since", "If-Match",
                                    "If-Unmodified-Since", "If-Range"};
    const bool is_conditional = std::ranges::any_of(conditions, [this](auto* name) {
        return http::users_field(options_.request, name) != nullptr;
    });
    return {continuation_,
            options_.request.range,
            options_.request.newer_than,
            options_.request.not_newer_than,
            options_.include_head || options_.request.head_only,
            http::users_field(options_.request, "Range") != nullptr,
            is_conditional};
}

Transfer::Next Transfer::receive(http::Response& response) {
    const auto& head = *outcome_.head;
    const auto size = leftover_.part ? leftover_.part->size() : 0;
    switch (meaning_of(head, expectation())) {
    case Meaning::unchanged:
        chain_.drop_body(response, {}, deadline_);
        if (!leftover_.goes_to_output() && leftover_.existing().kind == ExistingFile::Kind::regular)
            keep_existing(target_.file, leftover_.existing().size);
        return Next::done;
    case Meaning::all_here:
        chain_.drop_body(response, {}, deadline_);
        outcome_.resumed_at = continuation_.at;
        if (!continuation_.unmodified_since)
            return finish(continuation_.at, continuation_.at, size);
        keep_existing(target_.file, continuation_.at);
        return Next::done;
    case Meaning::other_version:
        return start_over(response);
    case Meaning::rest:
        if (continuation_.unmodified_since) leftover_.part->continue_existing(version_of(head));
        outcome_.resumed_at = continuation_.at;
        return take_document(response, continuation_.at);
    case Meaning::document:
        if (options_.range_is_needed)
            throw http::TransferError("cannot resume: the server sends only the whole document",
                                      http::status::cannot_resume);
        if (options_.request.range && head.status == 200)
            outcome_.warnings.push_back(
                fmt::format("the server sends the whole document, not only the bytes {}",
                            *options_.request.range));
        return take_document(response, 0);
    case Meaning::part:
        return take_document(response, 0);
    case Meaning::refused:
        refuse(response);
        return Next::done;
    }
    return Next::done;
}

// Takes the name that the answer suggests for the file. It must not replace another file, because
// the server chose it, and not the user.
void Transfer::take_servers_name() {
    const auto* disposition = outcome_.head->find("Content-Disposition");
    const auto name = disposition != nullptr ? suggested_file_name(*disposition) : std::string{};
    if (!name.empty() && !leftover_.part) {
        const auto slash = target_.file.rfind('/');
        auto file = target_.file.substr(0, slash == std::string::npos ? 0 : slash + 1) + name;
        if (look_at(file).kind != ExistingFile::Kind::none)
            throw http::TransferError(
                fmt::format(
                    "cannot write {}: a file with the name that the server chose already exists",
                    file),
                http::status::cannot_write);
        named_.file = outcome_.file = std::move(file);
    }
    leftover_.open();
}

Transfer::Next Transfer::take_document(http::Response& response, std::uint64_t already) {
    if (options_.server_names_file) take_servers_name();
    const auto& head = *outcome_.head;
    const auto range = content_range(head);
    const bool is_coded = options_.request.compressed && !http::codings_of(head).empty();
    const bool is_document = chain_.method() == "GET" && !options_.request.range && !is_coded &&
                             (head.status == 200 || head.status == 206) &&
                             http::users_field(options_.request, "Range") == nullptr;
    Arrival arrival{head, *response.connection, already,
                    already == 0 ? chain_.preface() : std::string{}, false};
    arrival.can_be_resumed = is_document && arrival.preface.empty();
    const auto before = delivery_.received();
    delivery_.deliver(arrival, deadline_);
    const auto here = already + delivery_.received() - before;
    std::optional<std::uint64_t> total;
    const bool has_body = chain_.method() != "HEAD" && !options_.request.head_only;
    if (head.status == 206 && has_body) {
        if (is_document)
            total = range.size;
        else if (!is_coded && range.first && range.last)
            total = *range.last - *range.first + 1;
    }
    return finish(here, total, already);
}

// Ends the transfer. Every document comes here, whatever the answer was.
Transfer::Next Transfer::finish(std::uint64_t here, std::optional<std::uint64_t> total,
                                std::uint64_t before) {
    auto& part = leftover_.part;
    const bool is_known = target_.checksum || options_.receive.hash;
    const bool is_here = !total || here == *total;
    const auto digests = is_known && is_here
                             ? delivery_.digests_of(part ? part->part_name() : "", here)
                             : Delivery::Digests{};
    outcome_.sha256 = digests.sha256;
    try {
        switch (judge({here, total, &target_.checksum, digests.wanted})) {
        case Wholeness::rest_missing:
            if (here > before && leftover_.continuation().at == here) return Next::ask_again;
            throw http::TransferError(
                fmt::format("the document ended too early: {} bytes are missing", *total - here),
                http::status::partial);
        case Wholeness::too_long:
            throw http::TransferError(
                fmt::format("the document has {} bytes more than the server announced",
                            here - *total),
                http::status::partial);
        case Wholeness::whole:
            break;
        }
    } catch (const http::TransferError& error) {
        const bool is_wrong =
            error.status() == http::status::bad_checksum || here > total.value_or(here);
        if (part && is_wrong) {
            part->discard();
            part.reset();
        }
        throw;
    }
    if (!part) return Next::done;
    if (options_.remote_time) part->set_time(modified_of(*outcome_.head));
    part->finish();
    if (part->is_in_place())
        outcome_.notes.push_back(fmt::format("{} was written in place", target_.file));
    part.reset();
    return Next::done;
}

// FILE already has the document. Treats it as if it had just come.
void Transfer::keep_existing(const std::string& file, std::uint64_t size) {
    if (leftover_.part && !leftover_.part->is_in_place()) leftover_.part->discard();
    leftover_.part.reset();
    if (!target_.checksum && !options_.receive.hash) return;
    const auto digests = delivery_.digests_of(file, size);
    outcome_.sha256 = digests.sha256;
    (void)judge({size, size, &target_.checksum, digests.wanted});
}

Transfer::Next Transfer::start_over(http::Response& response) {
    chain_.drop_body(response, {}, deadline_);
    leftover_.start_over();
    return Next::ask_again;
}

// Handles an answer that is not the requested document.
void Transfer::refuse(http::Response& response) {
    const auto& head = *outcome_.head;
    outcome_.status = http::status::http_error;
    outcome_.error = fmt::format("{} {}", head.status, head.reason);
    if (head.status == 304) outcome_.error += ", although the request had no condition";
    if (head.is_redirect())
        outcome_.error += fmt::format(": it is at {} (-L goes there)", *head.find("Location"));
    may_pass_ = may_pass(head.status) || options_.retry_all;
    using Body = DownloadOptions::ErrorBody;
    // With -o /dev/null, the user wants to see no document at all.
    const bool is_forgotten = !leftover_.goes_to_output() && is_null_device(target_.file);
    if ((may_pass_ && attempts_.next(&head)) || options_.error_body == Body::drop || is_forgotten) {
        chain_.drop_body(response, {}, deadline_);
    } else if (options_.error_body == Body::as_document && leftover_.goes_to_output()) {
        delivery_.deliver({head, *response.connection, 0, chain_.preface(), false}, deadline_);
    } else {
        chain_.drop_body(response, options_.aside, deadline_);
    }
}

} // namespace ipcbox::download
