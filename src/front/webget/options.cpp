#include "front/webget/options.h"

#include "cli/output.h"
#include "core/ascii.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/random.h"
#include "core/user.h"
#include "download/piece_source.h"
#include "download/place.h"
#include "front/webget/cookie_options.h"
#include "front/webget/line.h"
#include "front/webget/login_options.h"
#include "front/webget/proxy_options.h"
#include "http/date.h"
#include "http/failure.h"
#include "version.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr int default_workers = 6; // what browsers open to one server

void require_one(std::initializer_list<std::pair<bool, std::string_view>> options) {
    std::string_view first;
    for (const auto& [is_given, name] : options) {
        if (!is_given) continue;
        if (!first.empty())
            throw cli::UsageError(fmt::format("{} and {} cannot be combined", first, name));
        first = name;
    }
}

void check(const Line& line, const download::DownloadOptions& download, bool json) {
    const auto& request = download.request;
    const bool posts = line.data.text() && !line.data_in_url;
    require_one({{posts, "--data"},
                 {!line.form.empty(), "--form"},
                 {!line.uploads.empty(), "--upload-file"},
                 {request.head_only, "--head"}});
    require_one({{line.http10, "--http1.0"}, {line.http11, "--http1.1"}});
    require_one({{line.fail_silently, "--fail"}, {line.fail_with_body, "--fail-with-body"}});
    require_one({{line.resume, "--continue-at"}, {request.range.has_value(), "--range"}});
    require_one({{line.basic, "--basic"},
                 {line.digest, "--digest"},
                 {line.any_login, "--anyauth"},
                 {line.bearer.has_value(), "--oauth2-bearer"}});
    require_one(
        {{line.resume, "--continue-at"}, {download.server_names_file, "--remote-header-name"}});
    require_one({{line.resume, "--continue-at"}, {line.targets.no_clobber, "--no-clobber"}});
    const bool sends = posts || !line.form.empty() || !line.uploads.empty();
    if (sends && (line.resume || request.range))
        throw cli::UsageError(fmt::format("{} cannot be combined with data to send",
                                          line.resume ? "--continue-at" : "--range"));
    if (line.http10 && !line.uploads.empty() && line.uploads.front() == "-")
        throw cli::UsageError("HTTP/1.0 cannot send data of unknown length (-T -)");
    // curl's -J is --remote-header-name.
    if (json && line.targets.remote_names)
        throw cli::UsageError("-J prints a report in JSON, unlike in curl: use "
                              "--remote-header-name, or -J with --remote-name-all");
    if (download.server_names_file && !line.targets.remote_names)
        throw cli::UsageError("--remote-header-name needs -O");
    if (line.uploads.size() > 1)
        throw cli::UsageError("--upload-file can be given only once; run webget for each file");
}

// Sets the body that -d, -F or -T gives.
void set_body(const Line& line, http::RequestOptions& request) {
    if (!line.uploads.empty()) request.upload = line.uploads.front();
    if (line.data.text() && !line.data_in_url) request.body = line.data.text();
    if (line.data.is_json()) {
        request.content_type = "application/json";
        request.accept = "application/json";
    }
    if (line.form.empty()) return;
    const auto boundary = fmt::format("{}{:016x}", std::string(24, '-'), RandomNumbers{}.next());
    request.content_type = "multipart/form-data; boundary=" + boundary;
    // Like curl, add the boundary to the user's field. Without it, no server could read the form.
    for (auto& [field, omitted] : request.fields)
        if (!omitted && ascii::same_but_for_case(field.name, "Content-Type") &&
            ascii::lower(field.value).find("boundary=") == std::string::npos)
            field.value += "; boundary=" + boundary;
    request.make_body = [pieces = http::form_body(line.form, boundary)] {
        return std::make_shared<download::PieceSource>(pieces);
    };
}

// A pipe gives its bytes only once: the next document or part would get nothing.
void check_pipes(const Line& line, std::size_t documents) {
    std::vector<std::string> files = line.uploads;
    for (const auto& part : line.form)
        if (part.content.file) files.push_back(*part.content.file);
    for (const auto& file : files) {
        const auto status = file == "-" ? std::nullopt : download::status_of(file);
        const bool is_pipe = file == "-" || (status && S_ISFIFO(status->st_mode));
        const auto uses = static_cast<std::size_t>(std::ranges::count(files, file)) * documents;
        if (is_pipe && uses > 1)
            throw cli::UsageError(fmt::format(
                "cannot send {} more than once: store it in a file first", input_name(file)));
    }
}

// The query to add to every URL.
std::string query_of(const Line& line) {
    std::string query;
    const auto add = [&query](const std::string& piece) {
        if (!query.empty() && !piece.empty()) query += '&';
        query += piece;
    };
    for (const auto& piece : line.queries)
        add(piece);
    if (line.data_in_url && line.data.text()) add(*line.data.text());
    return query;
}

// -z: a date, or a file whose date counts. A missing file sets no condition. As with curl, a dash
// in front asks for a document that is not newer.
void set_condition(const Line& line, FetchConfig& config) {
    if (!line.condition) return;
    auto& request = config.download.request;
    const bool is_older = line.condition->starts_with('-');
    const auto text = line.condition->substr(is_older ? 1 : 0);
    auto date = parse_date(text);
    using Kind = download::ExistingFile::Kind;
    if (const auto file = download::look_at(text); !date && file.kind == Kind::regular)
        date = file.modified;
    (is_older ? request.not_newer_than : request.newer_than) = date;
    const auto& outputs = line.targets.outputs;
    if (!date && std::ranges::find(outputs, text) == outputs.end())
        config.warnings.push_back(fmt::format(
            "--time-cond '{}' is neither a date such as 2026-01-31 nor a file that is there: the "
            "document is fetched whatever its date",
            *line.condition));
}

// -C OFFSET: continues a file that ends there. Otherwise fetches only the rest of the document.
void skip_beginning(std::uint64_t offset, FetchConfig& config) {
    auto& download = config.download;
    if (offset == 0) return;
    if (config.targets.size() != 1)
        throw cli::UsageError("--continue-at with a number needs a single document");
    const auto& file = config.targets.front().file;
    using Kind = download::ExistingFile::Kind;
    const auto existing = file.empty() ? download::ExistingFile{} : download::look_at(file);
    if (existing.kind == Kind::regular) {
        if (existing.size != offset)
            throw http::TransferError(fmt::format("cannot resume {} at byte {}: it has {} bytes",
                                                  file, offset, existing.size),
                                      http::status::cannot_resume);
        download.resume = true;
        return;
    }
    download.request.range = fmt::format("{}-", offset);
    download.range_is_needed = true;
}

// A filter that makes control characters visible on a terminal. It gets one document piece by
// piece, and an empty piece at the end.
download::OutputFilter visible_document() {
    return [visible = cli::VisibleText{}](std::string_view piece) mutable {
        return piece.empty() ? visible.finish() : visible.next(piece);
    };
}

void set_streams(const Line& line, FetchConfig& config) {
    auto& download = config.download;
    const bool quiet = line.silent || line.no_progress || config.verbosity.quiet || config.json;
    // Show progress only if no document goes to the terminal, where the two would mix.
    const bool only_files = std::ranges::none_of(
        config.targets, [](const download::Target& target) { return target.file.empty(); });
    config.show_progress = !quiet && cli::is_terminal(STDERR_FILENO) &&
                           (only_files || !cli::is_terminal(STDOUT_FILENO));
    config.tell_errors = !line.silent || line.show_errors;
    if (!line.raw && cli::is_terminal(STDOUT_FILENO)) download.make_visible = visible_document;
    const bool visibly = !line.raw && cli::is_terminal(STDERR_FILENO);
    download.aside = [visibly](std::string_view bytes) {
        write_all(STDERR_FILENO, visibly ? cli::visible(bytes) : std::string{bytes},
                  "standard error");
    };
}

void set_error_body(const Line& line, download::DownloadOptions& download) {
    using Body = download::DownloadOptions::ErrorBody;
    if (line.fail_silently)
        download.error_body = Body::drop;
    else if (line.fail_with_body || download.include_head || download.request.head_only)
        download.error_body = Body::as_document;
}

} // namespace

FetchConfig parse_fetch_options(const Invocation& invocation) {
    FetchConfig config;
    Line line;
    auto& download = config.download;
    auto& request = download.request;
    request.user_agent = fmt::format("ipcbox-webget/{}", cli::version);

    cli::Options options{invocation, "URL... | HOST DOCUMENT..."};
    declare(options, line, config);
    config.verbosity = options.parse();
    check(line, download, config.json);

    request.version = line.http10 ? 10 : 11;
    set_body(line, request);
    set_logins(line, download);
    set_route(line, download.route);
    download.route.family = family_of(line.family);
    download.route.user_agent = request.user_agent;
    download.time_limit = line.limit;
    download.pipelining = !line.no_pipelining;
    download.resume = line.resume && !line.resume_at;
    if (line.follow || line.follow_trusting) download.max_redirects = line.redirects;
    set_condition(line, config);

    config.targets = find_targets(line.targets, line.schemes, query_of(line), download);
    check_pipes(line, config.targets.size());
    if (line.resume_at) skip_beginning(*line.resume_at, config);
    set_redirect_rule(line, download);
    set_error_body(line, download);
    set_cookies(line, config);
    config.head_file = line.head_file;
    download.drop_documents = config.json;
    download.receive.hash = config.json;
    const int workers = line.workers == 0 ? default_workers : line.workers;
    config.workers = line.parallel ? workers : 1;
    set_streams(line, config);
    return config;
}

} // namespace ipcbox::front
