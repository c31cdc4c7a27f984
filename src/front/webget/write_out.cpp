#include "front/webget/write_out.h"

#include "cli/options.h"
#include "core/ascii.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <iterator>
#include <stdexcept>

namespace ipcbox::front {

namespace {

using download::Outcome;
using download::Target;
using Time = Deadline::Clock::time_point;

double seconds(Time from, Time to) {
    return to < from ? 0.0 : std::chrono::duration<double>(to - from).count();
}

std::string in_seconds(Time from, Time to) {
    return fmt::format("{:.6f}", seconds(from, to));
}

std::string field_of(const Outcome& outcome, std::string_view name) {
    const auto* value = outcome.head ? outcome.head->find(name) : nullptr;
    return value != nullptr ? *value : std::string{};
}

std::string redirect_of(const Outcome& outcome) {
    auto location = field_of(outcome, "Location");
    if (location.empty()) return {};
    try {
        return outcome.url.resolve(location).text_with_fragment();
    } catch (const std::invalid_argument&) {
        return location;
    }
}

std::string rate(std::uint64_t bytes, const Outcome& outcome) {
    const double time = seconds(outcome.began, outcome.ended);
    return fmt::format("{:.0f}", time > 0 ? static_cast<double>(bytes) / time : 0);
}

std::string code(int status) {
    return fmt::format("{:03}", status);
}

std::string code_of(const Outcome& outcome) {
    return code(outcome.head ? outcome.head->status : 0);
}

std::string version_of(const Outcome& outcome) {
    if (!outcome.head) return "0";
    return outcome.head->version == 10 ? "1.0" : "1.1";
}

struct Variable {
    enum class Kind { text, number } kind; // in JSON, an empty text is null
    std::string_view name;
    std::string (*value)(const Target& target, const Outcome& outcome);
};
constexpr auto text = Variable::Kind::text;
constexpr auto number = Variable::Kind::number;

// The time from the beginning of the last request to this moment.
template <Time http::Milestones::*Moment>
std::string since_start(const Target& /*target*/, const Outcome& outcome) {
    return in_seconds(outcome.milestones.start, outcome.milestones.*Moment);
}

// The value of one of the outcome's numbers.
template <auto Member> std::string plain(const Target& /*target*/, const Outcome& outcome) {
    return fmt::format("{}", outcome.*Member);
}

std::string nothing(const Target& /*target*/, const Outcome& /*outcome*/) {
    return {};
}
std::string zero(const Target& /*target*/, const Outcome& /*outcome*/) {
    return "0";
}

// curl's variables, in the order of its JSON, with their values in curl's form.
constexpr std::array variables{
    Variable{text, "certs", nothing},
    Variable{
        text, "content_type",
        [](const Target&, const Outcome& outcome) { return field_of(outcome, "Content-Type"); }},
    Variable{text, "errormsg", [](const Target&, const Outcome& outcome) { return outcome.error; }},
    Variable{number, "exitcode", plain<&Outcome::status>},
    Variable{text, "filename_effective",
             [](const Target& target, const Outcome& outcome) {
                 return outcome.file.empty() ? target.file : outcome.file;
             }},
    Variable{text, "ftp_entry_path", nothing},
    Variable{number, "http_code",
             [](const Target&, const Outcome& outcome) { return code_of(outcome); }},
    Variable{number, "http_connect",
             [](const Target&, const Outcome& outcome) { return code(outcome.tunnel); }},
    Variable{text, "http_version",
             [](const Target&, const Outcome& outcome) { return version_of(outcome); }},
    Variable{text, "local_ip",
             [](const Target&, const Outcome& outcome) { return outcome.local.ip; }},
    Variable{number, "local_port",
             [](const Target&, const Outcome& outcome) {
                 return fmt::format("{}", outcome.local.port);
             }},
    Variable{text, "method", [](const Target&, const Outcome& outcome) { return outcome.method; }},
    Variable{number, "num_certs", zero},
    Variable{number, "num_connects", plain<&Outcome::connects>},
    Variable{number, "num_headers",
             [](const Target&, const Outcome& outcome) {
                 return fmt::format("{}", outcome.head ? outcome.head->fields.size() : 0);
             }},
    Variable{number, "num_redirects", plain<&Outcome::redirects>},
    Variable{number, "num_retries", plain<&Outcome::retries>},
    Variable{number, "proxy_ssl_verify_result", zero},
    Variable{text, "redirect_url",
             [](const Target&, const Outcome& outcome) { return redirect_of(outcome); }},
    Variable{text, "referer",
             [](const Target&, const Outcome& outcome) { return outcome.referer; }},
    Variable{text, "remote_ip",
             [](const Target&, const Outcome& outcome) { return outcome.remote.ip; }},
    Variable{number, "remote_port",
             [](const Target&, const Outcome& outcome) {
                 return fmt::format("{}", outcome.remote.port);
             }},
    Variable{number, "response_code",
             [](const Target&, const Outcome& outcome) { return code_of(outcome); }},
    Variable{text, "scheme",
             [](const Target&, const Outcome& outcome) { return outcome.url.scheme; }},
    Variable{number, "size_download", plain<&Outcome::bytes>},
    Variable{number, "size_header", plain<&Outcome::head_bytes>},
    Variable{number, "size_request", plain<&Outcome::request_bytes>},
    Variable{number, "size_upload", plain<&Outcome::uploaded>},
    Variable{number, "speed_download",
             [](const Target&, const Outcome& outcome) { return rate(outcome.bytes, outcome); }},
    Variable{number, "speed_upload",
             [](const Target&, const Outcome& outcome) { return rate(outcome.uploaded, outcome); }},
    // 0 says that the certificate was right, and with -k nobody has looked.
    Variable{number, "ssl_verify_result",
             [](const Target&, const Outcome& outcome) {
                 return std::string{outcome.status == 60 || outcome.is_unverified ? "1" : "0"};
             }},
    Variable{number, "time_appconnect",
             [](const Target&, const Outcome& outcome) {
                 const auto& moments = outcome.milestones;
                 return in_seconds(moments.start,
                                   outcome.url.is_https() ? moments.secured : moments.start);
             }},
    Variable{number, "time_connect", since_start<&http::Milestones::connected>},
    Variable{number, "time_namelookup", since_start<&http::Milestones::resolved>},
    // We send the request as soon as the connection is ready.
    Variable{number, "time_pretransfer", since_start<&http::Milestones::secured>},
    Variable{number, "time_redirect",
             [](const Target&, const Outcome& outcome) {
                 return outcome.redirects == 0
                            ? in_seconds({}, {})
                            : in_seconds(outcome.began, outcome.milestones.start);
             }},
    Variable{number, "time_starttransfer", since_start<&http::Milestones::first_byte>},
    Variable{number, "time_total",
             [](const Target&, const Outcome& outcome) {
                 return in_seconds(outcome.began, outcome.ended);
             }},
    Variable{text, "url",
             [](const Target& target, const Outcome&) {
                 return target.written.empty() ? target.url.text_with_fragment() : target.written;
             }},
    Variable{
        text, "url_effective",
        [](const Target&, const Outcome& outcome) { return outcome.url.text_with_fragment(); }},
    Variable{
        number, "urlnum",
        [](const Target& target, const Outcome&) { return fmt::format("{}", target.operand); }},
};

std::string in_quotes(std::string_view value) {
    std::string quoted = "\"";
    for (const char byte : value)
        if (byte == '"' || byte == '\\')
            quoted.append({'\\', byte});
        else if (ascii::is_control(byte))
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(byte));
        else
            quoted += byte;
    return quoted + '"';
}

std::string all_as_json(const Target& target, const Outcome& outcome) {
    std::string object;
    for (const auto& [kind, name, value] : variables) {
        auto shown = value(target, outcome);
        if (kind == text)
            shown = shown.empty() ? "null" : in_quotes(shown);
        else if (const auto first = shown.find_first_not_of('0');
                 shown.find('.') == std::string::npos)
            shown.erase(0, std::min(first, shown.size() - 1)); // JSON has no number "000"
        object += fmt::format("{}\"{}\":{}", object.empty() ? "{" : ",", name, shown);
    }
    return object + '}';
}

// A list of values for each name. Names are in lower case, and in the order in which they came.
std::string heads_as_json(const Outcome& outcome) {
    std::string object;
    if (!outcome.head) return "{}";
    std::vector<std::string> told;
    for (const auto& field : outcome.head->fields) {
        const auto name = ascii::lower(field.name);
        if (std::ranges::find(told, name) != told.end()) continue;
        told.push_back(name);
        std::string values;
        for (const auto& other : outcome.head->fields)
            if (ascii::same_but_for_case(other.name, name))
                values += (values.empty() ? "" : ",") + in_quotes(other.value);
        object += fmt::format("{}{}:[{}]", object.empty() ? "{" : ",\n", in_quotes(name), values);
    }
    return object + "\n}";
}

std::string value_of(std::string_view name, const Target& target, const Outcome& outcome) {
    if (name == "json") return all_as_json(target, outcome);
    if (name == "header_json") return heads_as_json(outcome);
    const auto* found = std::ranges::find(variables, name, &Variable::name);
    if (found == std::end(variables))
        throw cli::UsageError(fmt::format("--write-out: there is no %{{{}}}", name));
    return found->value(target, outcome);
}

// Removes "%{name}" or "%header{name}" from the front of FORMAT, and returns the name, which begins
// after SIZE bytes.
std::string_view take_name(std::string_view& format, std::size_t size) {
    const auto end = format.find('}');
    if (end == std::string_view::npos)
        throw cli::UsageError("--write-out: the } after %{ is missing");
    const auto name = format.substr(size, end - size);
    format.remove_prefix(end + 1);
    return name;
}

} // namespace

WrittenOut write_out(std::string_view format, const Target& target, const Outcome& outcome) {
    constexpr std::string_view variable = "%{";
    constexpr std::string_view header = "%header{";
    constexpr std::array<std::pair<std::string_view, char>, 4> escapes{
        {{"%%", '%'}, {"\\n", '\n'}, {"\\r", '\r'}, {"\\t", '\t'}}};
    WrittenOut written;
    auto* into = &written.out;
    while (!format.empty()) {
        const auto* const escape = std::ranges::find(escapes, format.substr(0, 2),
                                                     &std::pair<std::string_view, char>::first);
        if (escape != escapes.end()) {
            *into += escape->second;
            format.remove_prefix(2);
        } else if (format.starts_with(variable)) {
            const auto name = take_name(format, variable.size());
            if (name == "onerror" && outcome.status == 0) break;
            if (name == "stderr" || name == "stdout")
                into = name == "stderr" ? &written.err : &written.out;
            else if (name != "onerror")
                *into += value_of(name, target, outcome);
        } else if (format.starts_with(header)) {
            *into += field_of(outcome, take_name(format, header.size()));
        } else if (format.front() == '\\' && format.size() > 1) {
            *into += format.substr(0, 2); // curl keeps both bytes of "\\" too
            format.remove_prefix(2);
        } else {
            *into += format.front();
            format.remove_prefix(1);
        }
    }
    return written;
}

void check_format(std::string_view format) {
    Outcome failed; // a failure, so that %{onerror} ends nothing
    failed.status = 1;
    (void)write_out(format, {}, failed);
}

} // namespace ipcbox::front
