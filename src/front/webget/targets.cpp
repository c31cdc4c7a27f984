#include "front/webget/targets.h"

#include "cli/options.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/path.h"
#include "core/text_lines.h"
#include "download/place.h"
#include "http/failure.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t most_list = 256UL * 1024 * 1024;
constexpr int most_numbered_names = 100; // FILE.1 to FILE.100, as curl

http::Url parse_url(const std::string& text) {
    try {
        return http::Url::parse(text);
    } catch (const std::invalid_argument& wrong) {
        throw http::TransferError(fmt::format("cannot fetch {}: {}", text, wrong.what()),
                                  http::status::malformed_url);
    }
}

bool is_url(std::string_view text) {
    return text.find("://") != std::string_view::npos;
}

// One on each line; empty lines and those that begin with # are skipped.
std::vector<std::string> listed_urls(const std::string& name) {
    const auto text = read_input(name, most_list);
    std::vector<std::string> urls;
    for (TextLines lines{text}; const auto line = lines.next();) {
        const auto url = trimmed(line->text);
        if (!url.empty() && url.front() != '#') urls.emplace_back(url);
    }
    return urls;
}

// What is in the manual page's form: a host, and documents of it.
std::vector<http::Url> documents_of(const std::vector<std::string>& operands,
                                    const TargetOptions& options,
                                    download::DownloadOptions& download) {
    std::string host = operands.front();
    if (operands.size() < 2)
        throw cli::UsageError(
            fmt::format("which document of {}? (HOST DOCUMENT..., or URLs with http://)", host));
    if (host.starts_with("unix:")) {
        download.route.unix_socket = host.substr(5);
        host = "localhost";
    } else if (net::Address::parse_ip(host, 0) && host.find(':') != std::string::npos) {
        host = '[' + host + ']';
    }
    download.include_head = true;
    std::vector<http::Url> urls;
    for (auto document = operands.begin() + 1; document != operands.end(); ++document) {
        if (is_url(*document))
            throw cli::UsageError(fmt::format("{} is a URL, and {} is not", *document, host));
        const auto* slash = document->starts_with('/') ? "" : "/";
        urls.push_back(parse_url("http://" + host + slash + *document));
        if (options.port) urls.back().port = *options.port;
    }
    return urls;
}

std::vector<http::Url> find_urls(const std::vector<std::string>& operands,
                                 const TargetOptions& options,
                                 download::DownloadOptions& download) {
    std::vector<std::string> texts;
    if (options.list) texts = listed_urls(*options.list);
    if (!operands.empty() && !options.list && !is_url(operands.front()))
        return documents_of(operands, options, download);
    texts.insert(texts.end(), operands.begin(), operands.end());
    if (texts.empty() && !options.list) throw cli::UsageError("what is to be fetched?");
    if (options.port) throw cli::UsageError("--port is for HOST; a URL has its own");
    std::vector<http::Url> urls;
    urls.reserve(texts.size());
    for (const auto& text : texts)
        urls.push_back(parse_url(text));
    return urls;
}

// NAME, or NAME.1, ... if it is there.
std::string free_name(const std::string& name) {
    using Kind = download::ExistingFile::Kind;
    if (download::look_at(name).kind != Kind::regular) return name;
    for (int number = 1; number <= most_numbered_names; ++number)
        if (auto other = fmt::format("{}.{}", name, number);
            download::look_at(other).kind == Kind::none)
            return other;
    throw http::TransferError(
        fmt::format("cannot write {}: there are {} of it already", name, most_numbered_names),
        http::status::cannot_write);
}

std::string file_for(const download::Target& target, const TargetOptions& options) {
    std::string name;
    if (options.remote_names) {
        name = target.url.file_name();
        if (name.empty())
            throw http::TransferError(
                fmt::format("cannot name a file after {}: use -o", target.url.text()),
                http::status::cannot_write);
    } else if (target.number < options.outputs.size()) {
        name = options.outputs[target.number];
        if (name == "-") return {};
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

// "sha256:HEX" has none, and a file's name has its text.
std::string checksum_list(const std::string& text) {
    try {
        (void)http::Checksum::parse(text);
        return {};
    } catch (const std::invalid_argument& wrong) {
        using Kind = download::ExistingFile::Kind;
        if (text.find(':') != std::string::npos && download::look_at(text).kind == Kind::none)
            throw cli::UsageError(fmt::format("--checksum {}: {}", text, wrong.what()));
    }
    return read_to_end(open_file(text, O_RDONLY).get(), most_list, text);
}

void check(const std::vector<download::Target>& targets, const TargetOptions& options,
           const download::DownloadOptions& download) {
    if (!options.outputs.empty() && options.remote_names)
        throw cli::UsageError("--output and --remote-name exclude each other");
    if (!options.outputs.empty() && options.outputs.size() != targets.size())
        throw cli::UsageError(fmt::format("{} documents need as many -o, and there are {}",
                                          targets.size(), options.outputs.size()));
    if (download.resume && options.outputs.empty() && !options.remote_names)
        throw cli::UsageError("-C goes on with a file: it needs -o or -O");
}

} // namespace

std::vector<download::Target> find_targets(const std::vector<std::string>& operands,
                                           const TargetOptions& options,
                                           download::DownloadOptions& download) {
    std::vector<download::Target> targets;
    for (auto& url : find_urls(operands, options, download))
        targets.push_back({targets.size(), std::move(url), {}, {}});
    // As curl: what is put into a directory keeps its name.
    if (const auto& upload = download.request.upload; upload && *upload != "-")
        for (auto& target : targets)
            if (target.url.target.ends_with('/'))
                target.url.target += http::percent_encoded(name_of(*upload));
    check(targets, options, download);
    const auto list = options.checksum ? checksum_list(*options.checksum) : std::string{};
    std::set<std::string> files;
    for (auto& target : targets) {
        target.file = file_for(target, options);
        if (options.checksum) target.checksum = checksum_for(target, *options.checksum, list);
        if (target.file.empty()) continue;
        // Two names may lead to one file.
        if (auto identity = download::identity_of(target.file);
            targets.size() > 1 && !identity.empty() && !files.insert(std::move(identity)).second)
            throw cli::UsageError(fmt::format("two documents would be {}", target.file));
        if (options.create_directories) make_directories(directory_of(target.file));
    }
    return targets;
}

} // namespace ipcbox::front
