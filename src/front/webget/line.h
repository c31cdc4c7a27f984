// The values of webget's command line as they were given. line.cpp declares them, and options.cpp
// turns them into a FetchConfig.
#pragma once

#include "cli/options.h"
#include "download/target.h"
#include "front/family_options.h"
#include "front/webget/option_values.h"
#include "front/webget/post_data.h"
#include "front/webget/targets.h"
#include "http/form.h"
#include "http/proxy_choice.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ipcbox::front {

constexpr int default_redirects = 50; // as curl

struct Line {
    std::monostate done; // for options that act at once

    TargetOptions targets;
    std::optional<std::string> head_file; // -D
    std::optional<std::uint64_t> resume_at;
    bool resume = false; // -C, whatever its value

    PostData data;
    bool data_in_url = false;         // -G
    std::vector<std::string> queries; // --url-query, encoded
    std::vector<http::FormPart> form;
    std::vector<std::string> uploads;     // -T
    std::optional<std::string> condition; // -z

    std::optional<LoginText> login;
    std::optional<std::string> bearer;
    bool basic = false;
    bool digest = false;
    bool any_login = false;
    bool netrc = false;
    std::optional<std::string> netrc_file;
    std::vector<std::string> cookies; // -b
    std::optional<std::string> cookie_jar;
    bool junk_session_cookies = false;

    bool http10 = false;
    bool http11 = false;
    bool follow = false;
    bool follow_trusting = false;
    int redirects = default_redirects;
    std::optional<Duration> limit;
    bool fail_silently = false;
    bool fail_with_body = false;
    bool retry_refused = false;
    bool parallel = false;
    int workers = 0; // as many as the default
    bool no_pipelining = false;

    std::optional<std::string> proxy;
    std::optional<LoginText> proxy_login;
    std::optional<std::string> no_proxy;
    bool tunnel = false;
    FamilyOptions family;
    bool tls13 = false;
    Schemes schemes;
    std::optional<Schemes> redirect_schemes;

    bool silent = false;
    bool show_errors = false;
    bool no_buffer = false;
    bool progress_bar = false;
    bool no_progress = false;
    bool raw = false;
    bool ignored = false; // options that have no effect here
};

// Declares all options of webget, in sections. INTO and CONFIG have to live until parse().
struct FetchConfig;
void declare(cli::Options& options, Line& into, FetchConfig& config);

} // namespace ipcbox::front
