#include "harness/clock_answers.h"

#include "clocks/time_protocol.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::test {

namespace {

using namespace std::chrono;

constexpr auto seconds_to_1970 = 2208988800; // since 1900, RFC 868

void put_timestamp(std::string& packet, std::size_t at, nanoseconds since_1970) {
    const auto whole = floor<seconds>(since_1970);
    const auto fraction = static_cast<std::uint64_t>((since_1970 - whole).count());
    auto timestamp = static_cast<std::uint64_t>(whole.count() + seconds_to_1970) << 32U |
                     (fraction << 32U) / 1'000'000'000;
    for (auto end = at + 8; end-- > at; timestamp >>= 8U)
        packet[end] = static_cast<char>(timestamp);
}

} // namespace

std::string time_bytes(std::time_t time) {
    const auto bytes = clocks::encode_time(time);
    return {bytes.data(), bytes.size()};
}

std::time_t time_now(nanoseconds offset) {
    return floor<seconds>(system_clock::now() + offset).time_since_epoch().count();
}

std::string time_bytes_now(nanoseconds offset) {
    return time_bytes(time_now(offset));
}

std::string ntp_answer(std::string_view question, const NtpServer& server) {
    std::string packet(48, '\0');
    packet[0] = static_cast<char>(server.leap << 6U | 4U << 3U | 4U);
    packet[1] = static_cast<char>(server.stratum);
    packet[3] = -20; // a precision of a microsecond
    packet.replace(12, 4, server.reference.substr(0, 4));
    packet.replace(24, 8, question.substr(40, 8));
    const auto now = system_clock::now().time_since_epoch() + server.offset;
    for (const std::size_t at : {16U, 32U, 40U})
        put_timestamp(packet, at, now);
    return packet;
}

std::string Row::offset() const {
    const auto first = rest.find_first_not_of(' ');
    return rest.substr(first, rest.find(' ', first) - first);
}

std::string Row::text() const {
    const auto end = rest.find(' ', rest.find_first_not_of(' '));
    return end == std::string::npos ? std::string{} : rest.substr(end + 1);
}

std::vector<Row> rows_of(std::string_view table, std::size_t name_columns) {
    const auto require = [table](bool condition) {
        if (!condition) throw std::runtime_error(fmt::format("no table of clocks:\n{}", table));
    };
    std::vector<Row> rows;
    for (auto rest = table; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        require(line.size() < rest.size()); // each row ends with a line feed
        rest.remove_prefix(line.size() + 1);
        const auto name = line.substr(0, line.find(' '));
        const auto width = std::max(name.size(), name_columns);
        require(line.size() > width);
        const auto gap = line.substr(name.size(), width + 1 - name.size());
        require(gap.find_first_not_of(' ') == std::string_view::npos);
        rows.push_back({std::string{name}, std::string{line.substr(width + 1)}});
    }
    require(!rows.empty() && rows.front().name == "localhost" && rows.front().offset() == "0");
    rows.erase(rows.begin());
    return rows;
}

bool is_about(const std::string& seconds, std::int64_t expected) {
    char* end = nullptr;
    const auto number = std::strtoll(seconds.c_str(), &end, 10);
    return !seconds.empty() && *end == '\0' && number >= expected - 1 && number <= expected + 1;
}

} // namespace ipcbox::test
