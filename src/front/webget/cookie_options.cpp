#include "front/webget/cookie_options.h"

#include "cli/output.h"
#include "core/io.h"
#include "core/whole_file.h"
#include "download/place.h"

#include <algorithm>
#include <ctime>
#include <fcntl.h>

namespace ipcbox::front {

namespace {

// Cookies can be worth as much as passwords.
constexpr mode_t private_mode = 0600;

bool is_there(const std::string& name) {
    return name == "-" || download::look_at(name).kind != download::ExistingFile::Kind::none;
}

} // namespace

void set_cookies(const Line& line, FetchConfig& config) {
    if (line.cookies.empty() && !line.cookie_jar) return;
    const auto now = std::time(nullptr);
    const auto session = line.junk_session_cookies ? cookies::Jar::SessionCookies::junk
                                                   : cookies::Jar::SessionCookies::keep;
    std::string text; // "a=1; b=2", only for the URLs of the user
    std::shared_ptr<cookies::Jar> jar;
    if (line.cookie_jar) jar = std::make_shared<cookies::Jar>();
    for (const auto& cookies : line.cookies) {
        if (cookies.find('=') != std::string::npos) {
            text += (text.empty() ? "" : "; ") + cookies;
            continue;
        }
        if (!jar) jar = std::make_shared<cookies::Jar>();
        const auto name = cookies.substr(cookies.starts_with('@') ? 1 : 0); // as curl
        const auto host = config.targets.empty() ? "" : config.targets.front().url.host;
        if (!name.empty() && is_there(name)) jar->load(input_text(name), now, session, host);
    }
    config.jar = jar;
    config.cookie_jar = line.cookie_jar;
    auto& download = config.download;
    // Ask one by one: the next document may need cookies that this one sets.
    if (jar) download.pipelining = false;
    std::vector<http::Url> origins;
    for (const auto& target : config.targets)
        if (std::ranges::none_of(origins, [&target](const http::Url& origin) {
                return origin.same_origin(target.url);
            }))
            origins.push_back(target.url);
    const bool trusts_all = line.follow_trusting;
    download.more_fields = [jar, text, origins, trusts_all](const http::Url& url) {
        auto value = jar ? jar->field_for(url, std::time(nullptr)) : std::string{};
        const bool is_users = trusts_all || std::ranges::any_of(origins, [&url](const auto& one) {
                                  return one.same_origin(url);
                              });
        if (!text.empty() && is_users) value += (value.empty() ? "" : "; ") + text;
        return value.empty() ? std::vector<http::Field>{}
                             : std::vector<http::Field>{{"Cookie", value}};
    };
    if (!jar) return;
    download.on_head = [jar](const download::Target&, const http::Url& url,
                             const http::ResponseHead& head) {
        jar->store_all(url, head, std::time(nullptr));
    };
}

void write_cookies(const FetchConfig& config) {
    if (!config.cookie_jar) return;
    const auto text = config.jar->netscape_text(std::time(nullptr));
    const auto& name = *config.cookie_jar;
    using Kind = download::ExistingFile::Kind;
    if (name == "-") return cli::print(text);
    if (const auto inherited = download::descriptor_named(name))
        return write_all(*inherited, text, name);
    if (download::look_at(name).kind == Kind::special)
        return write_all(open_file(name, O_WRONLY).get(), text, name);
    WholeFile file{name, {.mode = private_mode}};
    write_all(file.fd(), text, name);
    file.commit();
}

} // namespace ipcbox::front
