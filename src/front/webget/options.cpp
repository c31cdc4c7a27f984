#include "front/webget/options.h"

#include "cli/output.h"
#include "cli/values.h"
#include "core/ascii.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/user.h"
#include "download/place.h"
#include "front/family_options.h"
#include "front/tls_options.h"
#include "front/webget/targets.h"
#include "http/date.h"
#include "http/netrc.h"
#include "http/proxy_choice.h"
#include "version.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t most_body = 64UL * 1024 * 1024;
constexpr int default_redirects = 50; // as curl
constexpr int default_workers = 6;    // what browsers open to one server
constexpr int most_workers = 300;     // as curl

// What the options say before they are put together.
struct Line {
    std::vector<std::string> operands;
    TargetOptions targets;
    std::vector<std::string> data;
    std::optional<std::string> credentials;
    bool netrc = false;
    std::optional<std::string> netrc_file;
    std::optional<http::Proxy> proxy;
    bool no_proxy_at_all = false;
    std::optional<std::string> no_proxy;
    bool http10 = false;
    bool follow = false;
    int redirects = default_redirects;
    std::optional<Duration> limit;
    bool fail_silently = false;
    bool fail_with_body = false;
    bool parallel = false;
    int workers = default_workers;
    bool silent = false;
    bool show_errors = false;
    bool no_buffer = false;
    bool no_pipelining = false;
    bool raw = false;
    FamilyOptions family;
    bool resume = false;
};

std::string file_text(const std::string& name) {
    try {
        return read_input(name, most_body);
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

// -d: "@FILE" is what FILE holds, on one line; --data-binary takes it as it is.
std::string parse_data(std::string_view text) {
    if (!text.starts_with('@')) return std::string{text};
    auto data = file_text(std::string{text.substr(1)});
    std::erase_if(data, [](char byte) { return byte == '\r' || byte == '\n'; });
    return data;
}
std::string parse_binary_data(std::string_view text) {
    return text.starts_with('@') ? file_text(std::string{text.substr(1)}) : std::string{text};
}

std::string parse_method(std::string_view text) {
    const auto is_capital = [](char byte) {
        return ascii::is_letter(byte) && byte != ascii::lower(byte);
    };
    if (text.empty() || !std::ranges::all_of(text, is_capital))
        throw std::invalid_argument("expected a method in capitals, such as GET");
    return std::string{text};
}

std::string parse_one_line(std::string_view text) {
    if (text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
        throw std::invalid_argument("expected one line");
    return std::string{text};
}

std::string parse_credentials(std::string_view text) {
    if (text.find(':') == std::string_view::npos)
        throw std::invalid_argument("expected USER:PASSWORD");
    return parse_one_line(text);
}

std::string parse_range(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789-,") != std::string_view::npos ||
        text.find('-') == std::string_view::npos)
        throw std::invalid_argument("expected bytes such as 0-499, 500- or -500");
    return std::string{text};
}

std::uint64_t parse_rate(std::string_view text) {
    const auto rate = cli::parse_size(text);
    if (rate == 0) throw std::invalid_argument("expected more than nothing");
    return rate;
}

// A date, or a file whose date counts.
std::time_t parse_condition(std::string_view text) {
    const std::string value{text};
    if (const auto date = http::parse_http_date(text, std::time(nullptr))) return *date;
    for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
        std::tm parts{};
        const char* end = ::strptime(value.c_str(), format, &parts);
        if (end != nullptr && *end == '\0') return ::timegm(&parts);
    }
    if (const auto file = download::look_at(value);
        file.kind == download::ExistingFile::Kind::regular)
        return file.modified;
    throw std::invalid_argument("expected a date such as 2026-01-31, or a file");
}

bool parse_resume(std::string_view text) {
    if (text != "-") throw std::invalid_argument("expected -: where to go on is found out");
    return true;
}

void declare_request(cli::Options& options, Line& line, http::RequestOptions& request) {
    options.values("-H,--header FIELD", request.fields, http::CustomField::parse,
                   "send NAME: VALUE; NAME: leaves it out, NAME; sends it empty");
    options.value("-A,--user-agent NAME", request.user_agent, parse_one_line, "who we say we are");
    options.value("-e,--referer URL", request.referer, parse_one_line, "where we come from");
    options.value("-X,--request METHOD", request.method, parse_method, "instead of GET");
    options.flag("-I,--head", request.head_only, "only the head (HEAD)");
    options.values("-d,--data DATA", line.data, parse_data, "POST it; @FILE: what FILE holds");
    options.values("--data-binary DATA", line.data, parse_binary_data, "with its line ends");
    options.value("-T,--upload-file FILE", request.upload, cli::parse_text,
                  "PUT it; - is standard input");
    options.value("-u,--user USER:PASSWORD", line.credentials, parse_credentials,
                  "who asks (Basic)");
    options.flag("-n,--netrc", line.netrc, "take passwords from ~/.netrc");
    options.value("--netrc-file FILE", line.netrc_file, cli::parse_text, "or from there");
    options.flag("--compressed", request.compressed, "let the server compress it");
    options.value("-r,--range RANGE", request.range, parse_range, "only these bytes: 0-499");
    options.value("-z,--time-cond DATE", request.newer_than, parse_condition,
                  "only if it is newer than DATE, or than a file");
    options.flag("-0,--http1.0", line.http10, "HTTP/1.0, and a connection for each");
}

void declare_way(cli::Options& options, Line& line, download::DownloadOptions& download) {
    auto& route = download.route;
    options.value("-p,--port PORT", line.targets.port, cli::parse_port, "of HOST (default 80)");
    options.value("--connect-timeout DURATION", route.connect_limit, cli::parse_duration,
                  "until the server can be asked");
    options.value("-m,--max-time DURATION", line.limit, cli::parse_duration,
                  "for each document, and each attempt at it");
    options.value("-t,--timeout DURATION", line.limit, cli::parse_duration, "the same");
    options.value("-x,--proxy PROXY", line.proxy, http::parse_proxy, "go through it: HOST:PORT");
    options.value("--noproxy HOSTS", line.no_proxy, cli::parse_text,
                  "but not to these; *: to none");
    options.values("--resolve HOST:PORT:ADDRESS", route.known, http::KnownAddress::parse,
                   "where HOST is");
    options.values("--connect-to FROM:PORT:TO:PORT", route.diversions, http::Diversion::parse,
                   "connect to TO instead");
    options.value("--unix-socket PATH", route.unix_socket, cli::parse_text,
                  "connect to it, whatever the host");
    declare(options, line.family);
    declare(options, route.tls);
}

void declare_documents(cli::Options& options, Line& line, download::DownloadOptions& download) {
    options.values("-o,--output FILE", line.targets.outputs, cli::parse_text,
                   "into FILE; one for each URL");
    options.flag("-O,--remote-name", line.targets.remote_names, "into a file of the URL's name");
    options.value("--output-dir DIRECTORY", line.targets.directory, cli::parse_text,
                  "where these files are");
    options.flag("--create-dirs", line.targets.create_directories, "make what is missing of it");
    options.flag("--no-clobber", line.targets.no_clobber, "replace no file: write FILE.1");
    options.value("-C,--continue-at OFFSET", line.resume, parse_resume,
                  "-: go on with what is there");
    options.value("--checksum SUM", line.targets.checksum, cli::parse_text,
                  "sha256:HEX, or a list as sha256sum writes it");
    options.value("--max-size SIZE", download.receive.max_bytes, cli::parse_size,
                  "refuse what is larger");
    options.value("--urls FILE", line.targets.list, cli::parse_text,
                  "fetch these, one on each line; - is standard input");
    options.flag("-i,--include", download.include_head,
                 "print the head of the answer before the document");
    options.flag("-L,--location", line.follow, "go where redirects lead");
    options.value("--max-redirs NUMBER", line.redirects, cli::number_between(0, INT_MAX),
                  "follow at most NUMBER redirects (default 50)");
    options.flag("-f,--fail", line.fail_silently, "drop the body of an error");
    options.flag("--fail-with-body", line.fail_with_body, "it goes where documents go");
    options.value("--retry NUMBER", download.retries, cli::number_between(0, INT_MAX),
                  "try again what may pass");
    options.value("--retry-delay DURATION", download.retry_pause, cli::parse_duration,
                  "wait this long before a retry (default 1s, 2s, 4s...)");
    options.value("--retry-max-time DURATION", download.retry_limit, cli::parse_duration,
                  "begin no attempt after it");
    options.value("--limit-rate SIZE", download.receive.bytes_per_second, parse_rate,
                  "bytes a second");
    options.flag("-Z,--parallel", line.parallel, "over several connections at once");
    options.value("--parallel-max NUMBER", line.workers, cli::number_between(1, most_workers),
                  "at most NUMBER at once (default 6)");
    options.flag("--no-pipelining", line.no_pipelining, "ask only when the last one has come");
}

void explain(cli::Options& options) {
    options.note("A document appears under its file's name when it is whole; until then it is "
                 "NAME.TAIL.part. With an HTTP error no file is touched, and the status is 22; all "
                 "statuses are curl's.");
    options.example("webget localhost /", "the whole response, as the manual page's client");
    options.example("webget -OL https://example.com/a.iso", "into a.iso, through redirects");
    options.example("webget -O -C - --retry 9 URL", "go on where it broke off");
    options.example("webget -Z -O --urls list", "many, at once");
    options.example("webget unix:/run/app.sock /health", "over a Unix socket");
}

std::function<std::optional<http::Proxy>(const http::Url&)> proxy_rule(const Line& line) {
    return [proxy = line.proxy, except = line.no_proxy](const http::Url& url) {
        const auto environment = [&](const char* name) -> const char* {
            const std::string_view wanted{name};
            if (except && (wanted == "no_proxy" || wanted == "NO_PROXY")) return except->c_str();
            return std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody changes it
        };
        if (!proxy) return http::proxy_for(url, environment);
        const char* list = except ? except->c_str() : "";
        return http::is_excepted(url, list) ? std::nullopt : proxy;
    };
}

std::function<std::optional<http::Credentials>(const http::Url&)> netrc_rule(const Line& line) {
    if (!line.netrc && !line.netrc_file) return {};
    const auto path = line.netrc_file.value_or(current_user().home + "/.netrc");
    return [text = http::load_netrc(path)](const http::Url& url) {
        return http::credentials_for(text, url.host);
    };
}

// What a terminal is shown of one document: its pieces in turn, and an empty one at its end.
download::OutputFilter visible_document() {
    return [visible = cli::VisibleText{}](std::string_view piece) mutable {
        return piece.empty() ? visible.finish() : visible.next(piece);
    };
}

void check(const Line& line, const download::DownloadOptions& download) {
    const auto& request = download.request;
    if (!line.data.empty() && request.upload)
        throw cli::UsageError("--data and --upload-file exclude each other");
    if (request.head_only && request.has_body())
        throw cli::UsageError("--head asks for no body, and sends none");
    if (line.http10 && request.upload == "-")
        throw cli::UsageError("HTTP/1.0 cannot send what has no length (-T -)");
    if (line.fail_silently && line.fail_with_body)
        throw cli::UsageError("--fail and --fail-with-body exclude each other");
    if (line.resume && request.range)
        throw cli::UsageError("-C finds out the range, and --range says it");
}

} // namespace

FetchConfig parse_fetch_options(const Invocation& invocation) {
    FetchConfig config;
    Line line;
    auto& download = config.download;
    auto& request = download.request;
    request.user_agent = fmt::format("ipcbox-webget/{}", cli::version);

    cli::Options options{invocation, "HOST DOCUMENT... | URL..."};
    options.operands("WHAT", line.operands, cli::parse_text,
                     "HOST, HOST:PORT or unix:PATH and documents there; or URLs");
    declare_documents(options, line, download);
    declare_request(options, line, request);
    declare_way(options, line, download);
    options.value("-w,--write-out FORMAT", config.write_out, cli::parse_text,
                  "print it behind each document: %{http_code}...");
    options.flag("-s,--silent", line.silent, "no progress, and no errors");
    options.flag("-S,--show-error", line.show_errors, "with -s, still print errors");
    options.flag("-N,--no-buffer", line.no_buffer, "as it is: nothing is held back");
    options.flag("--raw", line.raw, "control characters to a terminal, too");
    options.flag("--dry-run", config.dry_run, "print the requests, and send none");
    options.json(config.json);
    explain(options);
    config.verbosity = options.parse();
    if (!line.data.empty()) request.body.emplace();
    download.route.family = family_of(line.family);
    check(line, download);

    for (const auto& data : line.data)
        request.body->append(request.body->empty() ? "" : "&").append(data);
    if (line.credentials) {
        const auto colon = line.credentials->find(':');
        request.credentials = {line.credentials->substr(0, colon),
                               line.credentials->substr(colon + 1)};
    }
    request.version = line.http10 ? 10 : 11;
    download.credentials = netrc_rule(line);
    download.route.proxy = proxy_rule(line);
    download.route.user_agent = request.user_agent;
    download.time_limit = line.limit;
    download.resume = line.resume;
    download.pipelining = !line.no_pipelining;
    if (line.follow) download.max_redirects = line.redirects;

    config.targets = find_targets(line.operands, line.targets, download);
    using Body = download::DownloadOptions::ErrorBody;
    if (line.fail_silently)
        download.error_body = Body::drop;
    else if (line.fail_with_body || download.include_head || request.head_only)
        download.error_body = Body::as_document;
    download.drop_documents = config.json;
    download.receive.hash = config.json;
    config.workers = line.parallel ? line.workers : 1;
    config.tell_errors = !line.silent || line.show_errors;
    const bool quiet = line.silent || config.verbosity.quiet || config.json;
    // Not among the lines of a document.
    const bool only_files = std::ranges::none_of(
        config.targets, [](const download::Target& target) { return target.file.empty(); });
    config.show_progress = !quiet && cli::is_terminal(STDERR_FILENO) &&
                           (only_files || !cli::is_terminal(STDOUT_FILENO));
    if (!line.raw && cli::is_terminal(STDOUT_FILENO)) download.make_visible = visible_document;
    const bool visibly = !line.raw && cli::is_terminal(STDERR_FILENO);
    download.aside = [visibly](std::string_view bytes) {
        write_all(STDERR_FILENO, visibly ? cli::visible(bytes) : std::string{bytes},
                  "standard error");
    };
    return config;
}

} // namespace ipcbox::front
