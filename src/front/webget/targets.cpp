#include "front/webget/targets.h"

#include "cli/options.h"
#include "core/ascii.h"
#include "core/error.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/path.h"
#include "core/text_lines.h"
#include "download/place.h"
#include "front/webget/glob.h"
#include "front/webget/option_values.h"
#include "http/failure.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_list = 256UL * 1024 * 1024;
constexpr int max_numbered_names = 100; // FILE.1 to FILE.100, as curl

// A URL of the user, and the values of its globs.
struct Source {
    http::Url url;
    std::vector<std::string> values;
    std::size_t operand = 0; // which of the user's URLs it is
    std::string written{};   // the user's text for it
};

http::Url parse_url(const std::string& text) {
    const auto fail = [&text](const std::invalid_argument& wrong, int status) {
        throw http::TransferError(fmt::format("cannot fetch {}: {}", text, wrong.what()), status);
    };
    http::Url url;
    try {
        url = http::Url::parse(text);
    } catch (const http::OtherScheme& other) {
        fail(other, http::status::protocol_not_allowed);
    } catch (const std::invalid_argument& wrong) {
        fail(wrong, http::status::malformed_url);
    }
    return url;
}

void add_query(http::Url& url, const std::string& query) try {
    url.add_query(query);
} catch (const std::invalid_argument&) {
    throw http::TransferError(
        fmt::format("cannot fetch {}: the data to add contains control characters", url.text()),
        http::status::malformed_url);
}

// A query or a fragment can contain another URL.
bool has_scheme(std::string_view text) {
    return text.substr(0, text.find_first_of("?#")).find("://") != std::string_view::npos;
}

// What TEXT lacks at its beginning to be a URL with a scheme.
std::string missing_scheme(std::string_view text, const TargetOptions& options) {
    return has_scheme(text) ? std::string{} : options.default_scheme + "://";
}

// Whether TEXT can be the HOST of "HOST DOCUMENT...".
bool is_bare_host(std::string_view text) {
    return text.starts_with("unix:") ||
           (!has_scheme(text) && text.find_first_of("/?#") == std::string_view::npos);
}

// One URL on each line. Empty lines, and lines that begin with #, are skipped.
std::vector<std::string> listed_urls(const std::string& name) {
    const auto text = read_input(name, max_list);
    std::vector<std::string> urls;
    for (TextLines lines{text}; const auto line = lines.next();) {
        const auto url = trimmed(line->text);
        if (!url.empty() && url.front() != '#') urls.emplace_back(url);
    }
    return urls;
}

// The form of perlipc: a host, and then documents on it.
std::vector<Source> documents_of(const TargetOptions& options,
                                 download::DownloadOptions& download) {
    std::string host = options.sources.front();
    if (options.sources.size() < 2)
        throw cli::UsageError(
            fmt::format("the document of {} is missing: expected HOST DOCUMENT..., or URLs", host));
    if (host.starts_with("unix:")) {
        download.route.unix_socket = host.substr(5);
        host = "localhost";
    } else if (net::Address::parse_ip(host, 0) && host.find(':') != std::string::npos) {
        host = '[' + host + ']';
    }
    download.include_head = true;
    std::vector<Source> sources;
    for (auto document = options.sources.begin() + 1; document != options.sources.end();
         ++document) {
        if (has_scheme(*document) && !document->starts_with('/'))
            throw cli::UsageError(fmt::format("{} is a URL, and {} is not", *document, host));
        const auto* slash = document->starts_with('/') ? "" : "/";
        sources.push_back({parse_url("http://" + host + slash + *document), {}, sources.size()});
        if (options.port) sources.back().url.port = *options.port;
    }
    return sources;
}

void add_url(std::string text, const TargetOptions& options, std::vector<Source>& sources,
             std::size_t operand) {
    for (const std::string_view mistake : {"http:/", "https:/"})
        if (!has_scheme(text) && ascii::lower(text.substr(0, mistake.size())) == mistake)
            throw http::TransferError(fmt::format("cannot fetch {}: expected two slashes after {}",
                                                  text, mistake.substr(0, mistake.size() - 1)),
                                      http::status::malformed_url);
    const auto scheme = missing_scheme(text, options);
    if (options.globoff || text.find_first_of("{}[]") == std::string::npos) {
        sources.push_back({parse_url(scheme + text), {}, operand, std::move(text)});
        return;
    }
    text.insert(0, scheme);
    try {
        for (auto& [url, values] : expand_globs(text))
            sources.push_back(
                {parse_url(url), std::move(values), operand, url.substr(scheme.size())});
    } catch (const std::invalid_argument& wrong) {
        throw http::TransferError(fmt::format("cannot fetch {}: {}", text, wrong.what()),
                                  http::status::malformed_url);
    }
}

std::vector<Source> find_sources(const TargetOptions& options,
                                 download::DownloadOptions& download) {
    const auto& words = options.sources;
    if (std::ranges::find(words, "-") != words.end()) // from wget's "-O -"
        throw cli::UsageError("- is not a URL: webget prints documents without -O, and --urls - "
                              "reads URLs");
    // A host begins perlipc's form, HOST DOCUMENT. But a host alone, without a port or "unix:", is
    // a URL without a scheme.
    const bool is_host = !words.empty() && !options.list && !options.has_urls &&
                         is_bare_host(words.front()) &&
                         (words.size() > 1 || options.port || words.front().starts_with("unix:"));
    if (is_host) return documents_of(options, download);
    std::vector<Source> sources;
    if (options.list)
        for (auto& url : listed_urls(*options.list)) {
            // Take a URL in a list literally, because a program most likely wrote it.
            const auto scheme = missing_scheme(url, options);
            sources.push_back({parse_url(scheme + url), {}, sources.size(), std::move(url)});
        }
    if (words.empty() && !options.list)
        throw cli::UsageError("expected a URL, or a HOST and a DOCUMENT");
    if (options.port) throw cli::UsageError("--port needs a HOST: a URL contains its port");
    const auto first = sources.size();
    for (std::size_t index = 0; index < words.size(); ++index)
        add_url(words[index], options, sources, first + index);
    return sources;
}

// NAME. If it exists, the first free one of NAME.1, NAME.2, ...
std::string free_name(const std::string& name) {
    using Kind = download::ExistingFile::Kind;
    if (download::look_at(name).kind != Kind::regular) return name;
    for (int number = 1; number <= max_numbered_names; ++number)
        if (auto other = fmt::format("{}.{}", name, number);
            download::look_at(other).kind == Kind::none)
            return other;
    throw http::TransferError(
        fmt::format("cannot write {}: {} numbered files already exist", name, max_numbered_names),
        http::status::cannot_write);
}

void create_directories_of(const std::string& file) {
    try {
        make_directories(directory_of(file));
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_write);
    }
}

std::string file_for(const Source& source, const TargetOptions& options) {
    std::string name;
    if (options.remote_names) {
        name = source.url.file_name();
        if (name.empty())
            throw http::TransferError(
                fmt::format("cannot name a file after {}: use -o", source.url.text()),
                http::status::cannot_write);
    } else if (source.operand < options.outputs.size()) {
        name = options.outputs[source.operand];
        if (name == "-") return {};
        name = fill_in(name, source.values);
    } else {
        return {};
    }
    if (!options.directory.empty() && !name.starts_with('/')) name = options.directory + '/' + name;
    return options.no_clobber ? free_name(name) : name;
}

http::Checksum checksum_for(const download::Target& target, const std::string& text,
                            const std::string& list) {
    if (list.empty()) return http::Checksum::parse(text);
    const auto name = target.url.file_name();
    const auto found = http::checksum_in_list(list, name);
    if (!found)
        throw http::TransferError(fmt::format("cannot check {}: it is not in {}", name, text),
                                  http::status::bad_checksum);
    return *found;
}

// The text of the file that TEXT names. "sha256:HEX" names no file.
std::string checksum_list(const std::string& text) {
    try {
        (void)http::Checksum::parse(text);
        return {};
    } catch (const std::invalid_argument& wrong) {
        using Kind = download::ExistingFile::Kind;
        if (text.find(':') != std::string::npos && download::look_at(text).kind == Kind::none)
            throw cli::UsageError(fmt::format("--checksum {}: {}", text, wrong.what()));
    }
    return read_to_end(open_file(text, O_RDONLY).get(), max_list, text);
}

void check(const std::vector<Source>& sources, const TargetOptions& options, const Schemes& schemes,
           const download::DownloadOptions& download) {
    for (const auto& source : sources)
        if (!schemes.allow(source.url))
            throw http::TransferError(fmt::format("cannot fetch {}: --proto does not allow {}",
                                                  source.url.text(), source.url.scheme),
                                      http::status::protocol_not_allowed);
    if (!options.outputs.empty() && options.remote_names)
        throw cli::UsageError("--output and --remote-name cannot be combined");
    const auto operands = sources.empty() ? 0 : sources.back().operand + 1;
    if (!options.outputs.empty() && options.outputs.size() != operands)
        throw cli::UsageError(
            fmt::format("{} documents need the same number of -o, but there are {}", operands,
                        options.outputs.size()));
    const bool has_files = !options.outputs.empty() || options.remote_names;
    if (download.resume && !has_files) throw cli::UsageError("-C - needs -o or -O");
}

} // namespace

std::string parse_default_scheme(std::string_view text) {
    auto scheme = ascii::lower(text);
    if (scheme != "http" && scheme != "https")
        throw std::invalid_argument("expected http or https");
    return scheme;
}

std::vector<download::Target> find_targets(const TargetOptions& options, const Schemes& schemes,
                                           const std::string& query,
                                           download::DownloadOptions& download) {
    auto sources = find_sources(options, download);
    check(sources, options, schemes, download);
    std::vector<download::Target> targets;
    targets.reserve(sources.size());
    const auto list = options.checksum ? checksum_list(*options.checksum) : std::string{};
    const auto& upload = download.request.upload;
    std::set<std::string> files;
    for (auto& source : sources) {
        auto& target = targets.emplace_back();
        target.number = targets.size() - 1;
        target.operand = source.operand;
        target.file = file_for(source, options);
        target.url = std::move(source.url);
        target.written = std::move(source.written);
        if (options.checksum) target.checksum = checksum_for(target, *options.checksum, list);
        // As with curl, a file that is uploaded into a directory keeps its name.
        const auto path_end = std::min(target.url.target.find('?'), target.url.target.size());
        const bool names_directory = target.url.target[path_end - 1] == '/';
        if (upload && *upload != "-" && names_directory) {
            target.url.target.insert(path_end, http::percent_encoded(name_of(*upload)));
            target.written.clear();
        }
        if (!query.empty()) {
            add_query(target.url, query);
            target.written.clear();
        }
        if (target.file.empty()) continue;
        // Two names can lead to the same file.
        if (auto identity = download::identity_of(target.file);
            sources.size() > 1 && !identity.empty() && !files.insert(std::move(identity)).second)
            throw cli::UsageError(
                fmt::format("two documents have the same output file {}", target.file));
        if (options.create_directories) create_directories_of(target.file);
    }
    return targets;
}

} // namespace ipcbox::front
