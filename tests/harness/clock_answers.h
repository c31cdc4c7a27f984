// The answers of time servers, and the rows that timecheck and udptime print for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::test {

// RFC 868: four bytes.
[[nodiscard]] std::string time_bytes(std::time_t time);
// This host's clock. (time(2) shows the time of the last tick, so at the end of a second it can be
// a second behind.)
[[nodiscard]] std::time_t time_now(std::chrono::nanoseconds offset = {});
// The bytes for this host's clock plus OFFSET.
[[nodiscard]] std::string time_bytes_now(std::chrono::nanoseconds offset = {});

// A server of RFC 5905 whose clock is OFFSET ahead of ours. Makes its answer to a question.
struct NtpServer {
    std::chrono::nanoseconds offset{};
    unsigned leap = 0;
    unsigned stratum = 1;
    std::string_view reference = "TEST"; // four bytes
};
[[nodiscard]] std::string ntp_answer(std::string_view question, const NtpServer& server = {});

// One row of a table, after the name: "    3600 Thu May 14 08:40:46 1997".
struct Row {
    std::string name;
    std::string rest;
    // The first word of the text, and the text after the next blank.
    [[nodiscard]] std::string offset() const;
    [[nodiscard]] std::string text() const;
};
// The rows after that of localhost, which must be there. Names have at least NAME_COLUMNS columns.
[[nodiscard]] std::vector<Row> rows_of(std::string_view table, std::size_t name_columns = 24);

// Whether an offset in whole seconds is EXPECTED, or one second off, because both clocks go on in
// the meantime.
[[nodiscard]] bool is_about(const std::string& seconds, std::int64_t expected);

} // namespace ipcbox::test
