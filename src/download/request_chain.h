// The chain of requests that leads to the document of one target: it follows redirects and answers
// challenges. It records in an Outcome what it sent and received.
#pragma once

#include "download/leftover.h"
#include "download/requests.h"
#include "download/target.h"
#include "http/pipeline.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::download {

class RequestChain {
  public:
    // The first of TARGETS is asked for; requests for the others may be sent ahead. All arguments
    // must outlive this.
    RequestChain(const DownloadOptions& options, http::Pipeline& pipeline, RequestQueue& requests,
                 const Target& target, std::span<const Target> next, Outcome& outcome)
        : options_(options), pipeline_(pipeline), requests_(requests), target_(target), next_(next),
          outcome_(outcome) {}

    // Starts at the target's own URL again. RETRIES is the number of attempts before this one.
    void begin(int retries);

    // The answer to the request for what CONTINUATION lacks. Its head is in the outcome, its body
    // has yet to be read. Throws what http::Pipeline does, and TransferError when a redirect cannot
    // be followed.
    [[nodiscard]] http::Response ask(const Continuation& continuation, Deadline deadline);

    // The connection broke off. Whether the reason may be what we sent ahead; the next ask() then
    // asks alone. True at most once in an attempt.
    [[nodiscard]] bool can_ask_alone();

    // The method of the last request.
    [[nodiscard]] const std::string& method() const { return method_; }

    // How much of its body was sent.
    [[nodiscard]] std::uint64_t uploaded() const;

    // The heads that the user wants to see in front of the body, of all answers since the last call
    // in this attempt.
    [[nodiscard]] std::string preface();

    // Reads the body of RESPONSE away, to keep the connection, and gives it to TO, which may be
    // empty. Without TO, a body that is long, or does not come at once, is cut off instead.
    void drop_body(http::Response& response, const std::function<void(std::string_view)>& to,
                   Deadline deadline);

  private:
    [[nodiscard]] http::Request make_request(const Continuation& continuation);
    [[nodiscard]] http::Response send(const http::Request& request, Deadline deadline);
    [[nodiscard]] http::Response ask_pipeline(const http::Request& request,
                                              std::span<const http::Request> ahead,
                                              Deadline deadline);
    [[nodiscard]] bool follows_redirect();
    [[nodiscard]] bool answers_challenge();
    [[nodiscard]] bool drops_expectation();
    [[nodiscard]] bool should_withhold_body() const;
    [[nodiscard]] bool sends_withheld_body();
    [[nodiscard]] bool shows_heads() const;

    const DownloadOptions& options_;
    http::Pipeline& pipeline_;
    RequestQueue& requests_;
    const Target& target_;
    std::span<const Target> next_;
    Outcome& outcome_;
    bool expects_nothing_ = false; // the server does not know Expect

    // Of the current attempt.
    int retries_ = 0;
    http::Url url_;
    std::string method_;
    std::shared_ptr<http::BodySource> body_;
    std::vector<http::Field> login_; // the answer to a challenge
    int challenges_ = 0;             // that were answered
    bool withholds_body_ = false;    // the last request went without its body
    bool needs_no_login_ = false;
    std::string heads_;         // of the answers on the way, to be shown
    bool has_new_head_ = false; // that of the outcome is not among them
    bool is_alone_ = false;     // it was asked again because its connection broke off
};

} // namespace ipcbox::download
