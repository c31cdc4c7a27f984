#include "front/webget/line.h"

#include "cli/values.h"
#include "core/input_file.h"
#include "core/text_lines.h"
#include "front/tls_options.h"
#include "front/webget/config_file.h"
#include "front/webget/options.h"
#include "front/webget/refused_options.h"
#include "front/webget/write_out.h"

#include <climits>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::front {

namespace {

constexpr int max_workers = 300; // as curl

// -H: a field, or "@FILE" with one field on each line.
void add_fields(std::string_view text, std::vector<http::CustomField>& fields) {
    // curl ignores an empty field too. A script gives one when a variable is not set.
    if (trimmed(text).empty()) return;
    if (!text.starts_with('@')) {
        fields.push_back(http::CustomField::parse(text));
        return;
    }
    const auto file = input_text(std::string{text.substr(1)});
    for (TextLines lines{file}; const auto line = lines.next();)
        try {
            if (!trimmed(line->text).empty() && !line->text.starts_with('#'))
                fields.push_back(http::CustomField::parse(line->text));
        } catch (const std::invalid_argument& wrong) {
            throw std::invalid_argument(fmt::format("line {}: {}", line->number, wrong.what()));
        }
}

// -T: "." is standard input, as for curl.
std::string parse_upload(std::string_view text) {
    return std::string{text == "." ? "-" : text};
}

// --url-query: as --data-urlencode. Text after a "+" is already encoded.
std::string parse_query(std::string_view text) {
    return text.starts_with('+') ? std::string{text.substr(1)} : urlencoded_data(text);
}

std::optional<std::string> parse_tls_version(std::string_view text) {
    if (text == "default") return std::nullopt;
    if (text == "1.2" || text == "1.3") return std::string{text};
    throw std::invalid_argument("expected 1.2, 1.3 or default");
}

// -w: a format, or "@FILE" with the format. As in curl, the line ends of the file do not count.
std::string parse_format(std::string_view text) {
    std::string format{text};
    if (text.starts_with('@')) {
        format = input_text(std::string{text.substr(1)});
        std::erase_if(format, [](char byte) { return byte == '\r' || byte == '\n'; });
    }
    check_format(format);
    return format;
}

std::string parse_referer(std::string_view text) {
    if (text.ends_with(";auto"))
        throw std::invalid_argument("expected a URL: ;auto is not supported");
    return parse_one_line(text);
}

void declare_output(cli::Options& options, Line& line, FetchConfig& config) {
    auto& targets = line.targets;
    auto& download = config.download;
    const auto add_output = [&targets](std::string_view text) {
        if (text.empty()) throw std::invalid_argument("expected a file, or - for standard output");
        targets.outputs.emplace_back(std::string{text});
        return std::monostate{};
    };
    options.section("Output");
    options.value("-o,--output FILE", line.done, add_output,
                  "write the document to FILE; - is standard output");
    options.flag("-O,--remote-name", targets.remote_names,
                 "write each document to a file named like the last part of its URL");
    options.flag("--remote-name-all", targets.remote_names, "the same as -O");
    options.flag("--remote-header-name", download.server_names_file,
                 "with -O: use the file name that the server suggests");
    options.value("--output-dir DIRECTORY", targets.directory, cli::parse_file,
                  "write files into DIRECTORY");
    options.flag("--create-dirs", targets.create_directories, "create missing directories");
    options.flag("--remove-on-error", line.ignored,
                 "accepted: a file appears only when it is complete");
    options.flag("--no-clobber", targets.no_clobber,
                 "keep existing files, and write FILE.1, FILE.2, ...");
    options.value(
        "-C,--continue-at OFFSET", line.done,
        [&line](std::string_view text) {
            line.resume_at = parse_offset_or_dash(text);
            line.resume = true;
            return std::monostate{};
        },
        "resume at byte OFFSET; - finds the offset");
    options.flag("-R,--remote-time", download.remote_time,
                 "give each file the server's Last-Modified date");
    options.flag("-i,--include", download.include_head,
                 "print the head of each answer before its body");
    options.value("-D,--dump-header FILE", line.head_file, cli::parse_text,
                  "write the heads of all answers to FILE");
    options.flag("-f,--fail", line.fail_silently,
                 "do not print the error page after an HTTP error");
    options.flag("--fail-with-body", line.fail_with_body,
                 "print the error page after an HTTP error on standard output");
    options.value("--checksum SUM", targets.checksum, cli::parse_text,
                  "verify the checksum: sha256:HEX, or a file from sha256sum");
    options.value("--max-filesize SIZE", download.receive.max_bytes, parse_byte_limit,
                  "refuse a document of more than SIZE bytes");
    options.value("--max-size SIZE", download.receive.max_bytes, parse_byte_limit,
                  "the same as --max-filesize");
    options.flag("--raw", line.raw, "print control characters unchanged, even on a terminal");
    options.flag("-N,--no-buffer", line.no_buffer, "accepted: webget never holds back output");
}

void declare_urls(cli::Options& options, Line& line, FetchConfig& config) {
    auto& targets = line.targets;
    options.section("URLs");
    options.value(
        "--url URL", line.done,
        [&targets](std::string_view text) {
            targets.sources.emplace_back(text);
            targets.has_urls = true;
            return std::monostate{};
        },
        "fetch URL, as if it were an operand");
    options.value("--urls FILE", targets.list, cli::parse_file,
                  "fetch the URLs in FILE, one on each line; - is stdin");
    options.flag("-g,--globoff", targets.globoff, "treat {} and [] in URLs as ordinary characters");
    options.value(
        "--proto PROTOCOLS", line.schemes,
        [](std::string_view text) { return parse_schemes(text); },
        "allow only these protocols, for example =https");
    options.value(
        "--proto-redir PROTOCOLS", line.redirect_schemes,
        [](std::string_view text) { return parse_schemes(text); },
        "allow only these protocols after a redirect");
    options.value("--proto-default PROTOCOL", targets.default_scheme, parse_default_scheme,
                  "the protocol of a URL without one (default http)");
    options.flag("-L,--location", line.follow, "follow redirects");
    options.flag("--location-trusted", line.follow_trusting,
                 "follow redirects, and send the login to every host");
    options.value("--max-redirs NUMBER", line.redirects, parse_max_redirects,
                  "follow at most NUMBER redirects (default 50)");
    options.value("-p,--port PORT", targets.port, cli::parse_port, "the port of HOST (default 80)");
    options.flag("-Z,--parallel", line.parallel, "fetch over several connections at once");
    options.value("--parallel-max NUMBER", line.workers, cli::number_between(1, max_workers),
                  "use at most NUMBER connections (default 6)");
    options.flag("--parallel-immediate", line.ignored, "accepted: connections never wait");
    options.flag("--no-pipelining", line.no_pipelining,
                 "send each request after the previous answer");
    options.include(
        "-K,--config FILE",
        [](std::string_view name) {
            return config_words(input_text(std::string{name}), input_name(name));
        },
        "read options from FILE, in curl's format");
    options.flag("--disable", line.ignored, "accepted: webget reads no .curlrc");
    options.flag("--dry-run", config.dry_run, "print the requests instead of sending them");
}

void declare_requests(cli::Options& options, Line& line, FetchConfig& config) {
    auto& request = config.download.request;
    auto& data = line.data;
    const auto acting = [](auto action) {
        return [action](std::string_view text) {
            action(text);
            return std::monostate{};
        };
    };
    options.section("Requests");
    options.value("-H,--header FIELD", line.done,
                  acting([&request](std::string_view text) { add_fields(text, request.fields); }),
                  "send NAME: VALUE; NAME: omits a field, NAME; empties it");
    options.value("-A,--user-agent NAME", request.user_agent, parse_one_line,
                  "send NAME as the User-Agent");
    options.value("-e,--referer URL", request.referer, parse_referer, "send URL as the Referer");
    options.value("-X,--request METHOD", request.method, parse_method, "use METHOD instead of GET");
    options.flag("-I,--head", request.head_only, "fetch only heads (HEAD), and print them");
    options.value("-d,--data DATA", line.done,
                  acting([&data](std::string_view text) { data.add_text(text); }),
                  "POST DATA; @FILE is the content of FILE");
    options.value("--data-ascii DATA", line.done,
                  acting([&data](std::string_view text) { data.add_text(text); }),
                  "the same as --data");
    options.value("--data-raw DATA", line.done,
                  acting([&data](std::string_view text) { data.add_raw(text); }),
                  "POST DATA, even if it begins with @");
    options.value("--data-binary DATA", line.done,
                  acting([&data](std::string_view text) { data.add_binary(text); }),
                  "POST DATA; keep the line ends of @FILE");
    options.value("--data-urlencode DATA", line.done,
                  acting([&data](std::string_view text) { data.add_urlencoded(text); }),
                  "POST DATA encoded: CONTENT, NAME=CONTENT, NAME@FILE");
    options.value("--json DATA", line.done,
                  acting([&data](std::string_view text) { data.add_json(text); }),
                  "POST DATA as JSON (-J prints a report in JSON)");
    options.flag("-G,--get", line.data_in_url, "put the data into the URL, and use GET");
    options.values("--url-query DATA", line.queries, parse_query,
                   "add DATA to the URL, encoded as --data-urlencode");
    options.values("-F,--form PART", line.form, http::FormPart::parse,
                   "POST a form: NAME=TEXT, NAME=@FILE, NAME=<FILE");
    options.values("--form-string PART", line.form, http::FormPart::parse_plain,
                   "POST a form: NAME=TEXT, with TEXT taken literally");
    options.values("-T,--upload-file FILE", line.uploads, parse_upload,
                   "PUT FILE; - is standard input");
    options.flag("--compressed", request.compressed, "ask the server to compress the document");
    options.value("-r,--range RANGE", request.range, parse_range,
                  "fetch only these bytes, such as 0-499");
    options.value("-z,--time-cond DATE", line.condition, cli::parse_text,
                  "fetch only if newer than DATE, or than the file DATE");
    options.flag("-0,--http1.0", line.http10, "speak HTTP/1.0");
    options.flag("--http1.1", line.http11, "speak HTTP/1.1 (default)");
}

void declare_logins(cli::Options& options, Line& line) {
    options.section("Logins and cookies");
    options.value("-u,--user USER:PASSWORD", line.login, parse_login,
                  "log in to the server of the URL");
    options.flag("--basic", line.basic, "log in with Basic (default)");
    options.flag("--digest", line.digest, "log in with Digest");
    options.flag("--anyauth", line.any_login,
                 "log in with Digest if possible, otherwise with Basic");
    options.value("--oauth2-bearer TOKEN", line.bearer, parse_one_line,
                  "send TOKEN as Authorization: Bearer");
    options.flag("-n,--netrc", line.netrc, "take logins from ~/.netrc");
    options.flag("--netrc-optional", line.netrc, "the same as --netrc");
    options.value("--netrc-file FILE", line.netrc_file, cli::parse_file, "take logins from FILE");
    options.values("-b,--cookie COOKIES", line.cookies, parse_one_line,
                   "send NAME=VALUE, or read cookies from a file");
    options.value("-c,--cookie-jar FILE", line.cookie_jar, cli::parse_text,
                  "write all cookies to FILE at the end");
    options.flag("-j,--junk-session-cookies", line.junk_session_cookies,
                 "with -b FILE: ignore the session cookies");
}

void declare_retries(cli::Options& options, Line& line, FetchConfig& config) {
    auto& download = config.download;
    options.section("Time and retries");
    options.value("--connect-timeout DURATION", download.route.connect_limit,
                  parse_optional_duration, "give up connecting after DURATION");
    options.value("-m,--max-time DURATION", line.limit, parse_optional_duration,
                  "give up on a document after DURATION; each retry has the full time");
    options.value("-t,--timeout DURATION", line.limit, parse_optional_duration,
                  "the same as --max-time");
    options.value("--retry NUMBER", download.retries, cli::number_between(0, INT_MAX),
                  "retry at most NUMBER times after a temporary failure");
    options.value("--retry-delay DURATION", download.retry_pause, parse_optional_duration,
                  "wait DURATION before a retry (default 1s, 2s, 4s...)");
    options.value("--retry-max-time DURATION", download.retry_limit, parse_optional_duration,
                  "start no retry later than DURATION after the beginning");
    options.flag("--retry-connrefused", line.retry_refused,
                 "accepted: webget always retries a refused connection");
    options.flag("--retry-all-errors", download.retry_all, "with --retry: retry after any failure");
    options.value("--limit-rate SIZE", download.receive.bytes_per_second, parse_byte_limit,
                  "receive at most SIZE bytes a second");
}

void declare_connection(cli::Options& options, Line& line, FetchConfig& config) {
    auto& route = config.download.route;
    options.section("Connection");
    options.value("-x,--proxy PROXY", line.proxy, cli::parse_text, "use PROXY, such as host:3128");
    const auto through_socks = [](std::string_view scheme) {
        return [scheme](std::string_view place) {
            return std::string{scheme} + "://" + std::string{place};
        };
    };
    options.value("--socks5 HOST:PORT", line.proxy, through_socks("socks5"),
                  "use a SOCKS5 proxy, and look up host names locally");
    options.value("--socks5-hostname HOST:PORT", line.proxy, through_socks("socks5h"),
                  "use a SOCKS5 proxy, and let it look up host names");
    options.flag("--socks5-basic", line.ignored,
                 "log in to a SOCKS5 proxy with a password (default)");
    options.value("-U,--proxy-user USER:PASSWORD", line.proxy_login, parse_login,
                  "log in to the proxy");
    options.flag("--proxy-basic", line.ignored, "log in to the proxy with Basic (default)");
    options.flag("--proxytunnel", line.tunnel, "use a tunnel (CONNECT) even for http");
    options.value("--noproxy HOSTS", line.no_proxy, cli::parse_text,
                  "use no proxy for these hosts; * means all");
    options.flag("--suppress-connect-headers", line.ignored,
                 "accepted: webget never shows the answers to CONNECT");
    options.values("--resolve HOST:PORT:ADDRESS", route.known, http::KnownAddress::parse,
                   "use ADDRESS for HOST");
    options.values("--connect-to HOST:PORT:OTHER:PORT", route.diversions, http::Diversion::parse,
                   "connect to OTHER instead of HOST");
    options.value(
        "--abstract-unix-socket NAME", route.unix_socket,
        [](std::string_view name) { return "@" + std::string{name}; },
        "connect to this abstract socket instead of the host");
    options.value("--unix-socket PATH", route.unix_socket, cli::parse_file,
                  "connect to this Unix socket instead of the host");
    declare(options, line.family);
    options.flag("--tcp-nodelay", line.ignored, "accepted: webget never delays requests");
    options.flag("--no-keepalive", line.ignored, "accepted: webget never uses TCP keepalive");
    options.section("TLS");
    declare(options, route.tls);
    options.value("-E CERTIFICATE", route.tls.certificate, cli::parse_text, "the same as --cert");
    options.value("--capath DIRECTORY", route.tls.ca_directory, cli::parse_file,
                  "trust the issuers in DIRECTORY (see c_rehash(1))");
    options.flag("-1,--tlsv1", line.ignored, "use TLS 1.2 or later (default)");
    options.flag("--tlsv1.0", line.ignored, "use TLS 1.2 or later (default)");
    options.flag("--tlsv1.1", line.ignored, "use TLS 1.2 or later (default)");
    options.flag("--tlsv1.2", line.ignored, "use TLS 1.2 or later (default)");
    options.flag("--tlsv1.3", line.tls13, "use TLS 1.3 or later");
    options.value("--tls-max VERSION", route.tls.max_version, parse_tls_version,
                  "use at most VERSION: 1.2, 1.3 or default");
    options.flag("--no-sessionid", line.ignored, "accepted: webget never resumes TLS sessions");
    options.flag("--no-alpn", line.ignored, "accepted: the protocol is always HTTP/1.1");
    options.flag("--no-npn", line.ignored, "accepted: the protocol is always HTTP/1.1");
}

void declare_reports(cli::Options& options, Line& line, FetchConfig& config) {
    options.section("Reports");
    options.value("-w,--write-out FORMAT", config.write_out, parse_format,
                  "print FORMAT after each document, such as %{http_code}");
    options.flag("-J", config.json, "print a report in JSON for each document");
    options.flag("-s,--silent", line.silent, "show no progress and no errors");
    options.flag("-S,--show-error", line.show_errors, "with -s: show errors");
    options.flag("-#,--progress-bar", line.progress_bar, "accepted: progress is always a bar");
    options.flag("--no-progress-meter", line.no_progress, "show no progress");
    options.flag("--styled-output", line.ignored, "accepted: webget never styles heads");
}

} // namespace

void declare(cli::Options& options, Line& line, FetchConfig& config) {
    declare_output(options, line, config);
    declare_urls(options, line, config);
    declare_requests(options, line, config);
    declare_logins(options, line);
    declare_retries(options, line, config);
    declare_connection(options, line, config);
    declare_reports(options, line, config);
    options.negatable_flags();
    options.refuse(refused_options());
    options.operands("URL", line.targets.sources, cli::parse_text,
                     "a URL; or HOST, HOST:PORT or unix:PATH, followed by documents");
    options.note(
        "webget creates or replaces a file only when the document is complete. Until then, it uses "
        "a temporary file beside it. After an HTTP error, no file changes: the error page goes to "
        "standard error, and the exit status is 22. The exit statuses are curl's.");
    options.example("webget -OL https://example.com/a.iso", "fetch a.iso, and follow redirects");
    options.example("webget -O -C - --retry 9 https://example.com/disk.iso",
                    "resume where an earlier transfer broke off");
    options.example("webget -Z -O --urls list", "fetch many documents at once");
    options.example("webget --json '{\"a\":1}' https://example.com/api", "POST JSON");
    options.example("webget localhost /", "print the complete answer, like the client in perlipc");
    options.example("webget unix:/run/app.sock /health", "ask a server at a Unix socket");
}

} // namespace ipcbox::front
