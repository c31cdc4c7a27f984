// Fetches one target, in as many attempts as allowed. It follows redirects and resumes attempts
// that broke off. A file appears only when it is whole.
#pragma once

#include "download/attempts.h"
#include "download/delivery.h"
#include "download/leftover.h"
#include "download/meaning.h"
#include "download/request_chain.h"
#include "download/requests.h"
#include "download/target.h"
#include "http/pipeline.h"

#include <span>
#include <string>

namespace ipcbox::download {

// The tools that all transfers of one worker share.
struct TransferTools {
    const DownloadOptions& options;
    http::Pipeline& pipeline;
    RequestQueue& requests;
    OrderedOutput& output;
    Progress* progress; // may be null
};

class Transfer {
  public:
    // A transfer of the first of TARGETS. It may send requests for the others ahead.
    Transfer(const TransferTools& tools, std::span<const Target> targets)
        : options_(tools.options), output_(tools.output),
          named_(options_.server_names_file ? targets.front() : Target{}),
          target_(options_.server_names_file ? named_ : targets.front()),
          chain_(options_, tools.pipeline, tools.requests, target_, targets.subspan(1), outcome_),
          attempts_(options_), leftover_(target_, options_),
          delivery_(target_, options_, leftover_, tools.output, tools.progress) {}

    // Never throws an exception that current_failure() knows: it reports that in the outcome.
    [[nodiscard]] Outcome run();

  private:
    enum class Next { done, ask_again };

    void show_heads();
    void take_failure();
    void try_once();
    void attempt();
    void take_servers_name();
    [[nodiscard]] Next receive(http::Response& response);
    [[nodiscard]] Next take_document(http::Response& response, std::uint64_t already);
    [[nodiscard]] Next finish(std::uint64_t here, std::optional<std::uint64_t> total,
                              std::uint64_t before);
    void keep_existing(const std::string& file, std::uint64_t size);
    [[nodiscard]] Next start_over(http::Response& response);
    void refuse(http::Response& response);
    [[nodiscard]] Expectation expectation() const;

    const DownloadOptions& options_;
    OrderedOutput& output_;
    Target named_; // the target, when the server gives its file a name
    const Target& target_;
    Outcome outcome_;
    RequestChain chain_;
    Attempts attempts_;
    Leftover leftover_;
    Delivery delivery_;
    bool may_pass_ = false; // another attempt may go better
    Deadline deadline_ = Deadline::never();
    Continuation continuation_; // of the current attempt
};

} // namespace ipcbox::download
