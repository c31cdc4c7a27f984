// The sweep for bodies of HTTP that are large, or come over TLS, and for other clients of TLS. One
// system call after another fails once, with each errno that the kernel could return there.
// Whatever fails, the client ends in time. The whole body has arrived, or one line says why not.
// Then no file has a wrong byte. No process is left.
#include "fault/sweep.h"
#include "harness/http_peer.h"
#include "harness/injected_fault.h"
#ifdef IPCBOX_HAS_TLS
#include "harness/tls_peer.h"
#endif

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// So much that the kernel moves it where it can (http/connection.cpp).
constexpr std::size_t size = 200'000;
const std::string& document() {
    static const std::string one = numbered_text(size);
    return one;
}

// What the client sends and gets: the document comes, or goes and is confirmed.
constexpr std::string_view confirmation = "it is the document\n";
std::string confirm(const HttpRequest& request) {
    const bool is_whole =
        request.body.size() == size ? request.body == document() : request.content() == document();
    return ok(is_whole ? confirmation : "it is something else\n");
}

// The document with its length, without it, or in chunks.
HttpAnswer answer_to(std::string_view target) {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    if (target == "/until-close") return {head + "\r\n" + document(), Then::close};
    if (target == "/chunks")
        return head + fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", size,
                                  document());
    return ok(document());
}

struct SweptTransfer {
    const char* what;
    // For sh(1). $1 is the server's URL. The document is in the file "document".
    std::string script;
    std::string expected; // the output
    std::string file{};   // it gets the document

    // The word after "exec".
    [[nodiscard]] std::string applet() const { return script.substr(5, script.find(' ', 5) - 5); }
};

const std::vector<SweptTransfer>& transfers() {
    const auto& text = document();
    const std::string confirmed{confirmation};
    static const std::vector<SweptTransfer> all{
        {"to a pipe", "exec webget -k $1/", text},
        {"to a file", "exec webget -k -o f $1/", "", "f"},
        {"to the end of a file", "exec webget -k $1/ >>f", "", "f"},
        {"to nowhere", "exec webget -k -o /dev/null $1/", ""},
        {"in chunks", "exec webget -k $1/chunks", text},
        {"until the end of the connection", "exec webget -k -o f $1/until-close", "", "f"},
        {"upload", "exec webget -k -T document $1/", confirmed},
        {"upload in chunks", "exec webget -k -T - $1/ <document", confirmed},
    };
    return all;
}

// Runs the transfer with one fault. False when no call was left to fail.
bool fails_somewhere(const SweptTransfer& transfer, const std::string& url,
                     const std::string& fault) {
    INFO("transfer: ", std::string{transfer.what});
    CAPTURE(url);
    CAPTURE(fault);
    Scenario scenario;
    scenario.write_file("document", document());
    Result result;
    const auto fired =
        with_fault(scenario, fault, [&] { result = scenario.shell(transfer.script, {url}); });
    CAPTURE(fired);
    CAPTURE(result.err);
    CAPTURE(result.status);
    // 0 and 1 are ours. The others are from curl.
    constexpr std::array statuses{0, 1, 6, 7, 18, 23, 26, 35, 52, 55, 56, 77};
    CHECK(std::ranges::find(statuses, result.status) != statuses.end());
    if (result.status == 0) {
        CHECK(result.out == transfer.expected);
        CHECK(result.err.empty());
    } else {
        CHECK(transfer.expected.starts_with(result.out));
        const bool is_one_line = std::ranges::count(result.err, '\n') == 1;
        CHECK(((is_one_line && result.err.starts_with(transfer.applet() + ": ")) ||
               fired.starts_with("write")));
    }
    if (!transfer.file.empty()) {
        const auto arrived =
            scenario.exists(transfer.file) ? scenario.read_file(transfer.file) : std::string{};
        // What is appended goes there as it comes.
        CHECK((result.status == 0 ? arrived == document() : document().starts_with(arrived)));
    }
    CHECK(eventually([] { return running_children().empty(); }));
    return !fired.empty();
}

void sweep(const SweptTransfer& transfer, const std::string& url) {
    const int runs =
        sweep_calls(swept_errors({"ENOMEM", "EAGAIN", "ECONNRESET"}),
                    [&](const auto& fault) { return fails_somewhere(transfer, url, fault); });
    MESSAGE(std::string{transfer.what}, ": ", runs, " calls failed");
}

#ifdef IPCBOX_HAS_TLS
// Answers one request.
void serve_http(TlsConnection& client) {
    constexpr std::string_view end_of_head = "\r\n\r\n";
    constexpr std::string_view last_chunk = "\r\n0\r\n\r\n";
    std::string received;
    const auto receive_until = [&](const auto& is_enough) {
        while (!is_enough()) {
            const auto more = client.receive();
            if (more.empty()) return false;
            received += more;
        }
        return true;
    };
    if (!receive_until([&] { return contains(received, end_of_head); })) return;
    const auto head_size = received.find(end_of_head) + end_of_head.size();
    HttpRequest request;
    request.head = received.substr(0, head_size);
    if (request.method() == "GET") {
        client.say(answer_to(request.target()).bytes);
        return client.end();
    }
    const bool is_chunked = !request.field("Transfer-Encoding").empty();
    if (!receive_until([&] {
            return is_chunked ? received.ends_with(last_chunk)
                              : received.size() >= head_size + size;
        }))
        return;
    request.body = received.substr(head_size);
    client.say(confirm(request));
    client.end();
}

// Confirms the document. Does not wait for the end: a client keeps it back unless it is told.
void confirm_plain(TlsConnection& client) {
    client.say(client.receive_at_least(size) == document() ? confirmation
                                                           : "it is something else\n");
    client.end();
}
#endif

} // namespace

TEST_CASE("no matter what fails, a large body arrives as a whole or one line says why not") {
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        return request.method() == "GET" ? answer_to(request.target()) : confirm(request);
    }};
    for (const auto& transfer : transfers())
        sweep(transfer, "http://" + server.text());
}

#ifdef IPCBOX_HAS_TLS
TEST_CASE("no matter what fails, a body over TLS arrives as a whole or one line says why not") {
    const Certificate certificate{{}};
    const TlsPeer server{{.certificate = &certificate}, serve_http};
    for (const auto& transfer : transfers())
        sweep(transfer, "https://" + server.text());
}

TEST_CASE("no matter what fails, a client of TLS gets the answer or says why not in one line") {
    const Certificate certificate{{}};
    const TlsPeer server{{.certificate = &certificate}, confirm_plain};
    const std::string confirmed{confirmation};
    sweep({"tcp-client", "exec tcp-client --tls -k $1 <document", confirmed}, server.text());
    sweep({"tcp-interact", "exec tcp-interact -q --tls -k $1 <document", confirmed}, server.text());
}
#endif
