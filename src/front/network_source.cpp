#include "front/network_source.h"

#include "core/io.h"
#include "core/stream_copy.h"
#include "core/syscall.h"
#include "download/download.h"
#include "front/client/tcp_way.h"
#include "front/common_options.h"
#include "front/webget/options.h"
#include "http/failure.h"
#include "net/connect.h"

#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::front {

namespace {

constexpr std::string_view tcp_prefix = "tcp:";
constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view output_name = "standard output";
constexpr std::chrono::minutes connect_patience{1};

bool is_document(std::string_view argument) {
    return argument.starts_with("http://") || argument.starts_with("https://");
}

Fd connect(const std::string& argument) {
    const auto deadline = Deadline::after(connect_patience);
    if (argument.starts_with(unix_prefix))
        return net::connect_unix(
            net::Address::unix_path(parse_socket_path(argument.substr(unix_prefix.size()))),
            deadline);
    const auto target = argument.substr(tcp_prefix.size());
    if (net::HostPort::parse(target).host.empty())
        throw std::invalid_argument("expected tcp:HOST:PORT");
    return std::move(reach_tcp({}, target, deadline).socket);
}

// A connection whose sending half is closed. It blocks, as copy_stream() requires.
Fd connect_to_read(const std::string& argument) try {
    Fd socket = connect(argument);
    if (sys::call("shutdown", ::shutdown, socket.get(), SHUT_WR) < 0 && errno != ENOTCONN)
        throw SysError("end our side of", argument);
    const auto set = [](int fd, int flags) { return ::fcntl(fd, F_SETFL, flags); };
    if (sys::call("fcntl", set, socket.get(), O_RDWR) < 0) throw SysError("use", argument);
    return socket;
} catch (const std::invalid_argument& wrong) {
    throw Error(fmt::format("cannot read {}: {}", argument, wrong.what()));
}

void write_out(std::string_view text) try {
    write_all(STDOUT_FILENO, text, output_name);
} catch (const Error& error) {
    throw LostOutput(error.what());
}

void copy(const Fd& socket, const std::string& argument) try {
    copy_stream(socket.get(), STDOUT_FILENO, no_copy_limit, {argument, output_name});
} catch (const ReadFailed&) {
    throw;
} catch (const Error& error) {
    throw LostOutput(error.what());
}

void write_conversation(const std::string& argument, const download::OutputFilter& filter) {
    const Fd socket = connect_to_read(argument);
    if (!filter) return copy(socket, argument);
    std::vector<std::byte> buffer(64UL * 1024);
    while (const auto size = read_some(socket.get(), buffer, argument))
        write_out(filter({reinterpret_cast<const char*>(buffer.data()), size}));
    write_out(filter({}));
}

// Includes everything that webget takes from the environment: proxies and certificates.
FetchConfig webget_config(std::string url) {
    std::string flags = "-fgL";
    std::array words{flags.data(), url.data()};
    return parse_fetch_options({"magic-cat", "", words});
}

void write_document(const std::string& argument, const download::OutputFilter& filter) {
    auto config = webget_config(argument);
    config.download.make_visible = nullptr;
    if (filter) config.download.make_visible = [&filter] { return filter; };
    download::OrderedOutput output{STDOUT_FILENO, output_name};
    download::Downloader downloader{config.download, output, nullptr};
    const auto outcome = downloader.fetch(config.targets);
    if (outcome.status == http::status::cannot_write) throw LostOutput(outcome.error);
    try {
        output.flush();
    } catch (const Error& error) {
        throw LostOutput(error.what());
    }
    if (outcome.status != 0)
        throw Error(fmt::format("cannot read {}: {}", argument, outcome.error));
}

} // namespace

bool names_server(std::string_view argument) {
    return argument.starts_with(tcp_prefix) || argument.starts_with(unix_prefix) ||
           is_document(argument);
}

void write_from_server(const std::string& argument, const download::OutputFilter& filter) {
    if (is_document(argument))
        write_document(argument, filter);
    else
        write_conversation(argument, filter);
}

} // namespace ipcbox::front
