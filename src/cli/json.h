// One JSON object on one line of stdout: what -J prints. The first member is always "v":1, the
// version of the fields; members keep their order. Bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ipcbox::cli {

class JsonLine {
  public:
    JsonLine();
    ~JsonLine();
    JsonLine(const JsonLine&) = delete;
    JsonLine& operator=(const JsonLine&) = delete;

    template <class Integer>
    requires std::is_integral_v<Integer> &&
        (!std::is_same_v<Integer, bool>)JsonLine& set(std::string_view member, Integer value) {
        if constexpr (std::is_signed_v<Integer>)
            return set_signed(member, value);
        else
            return set_unsigned(member, value);
    }
    JsonLine& set(std::string_view member, double value);
    JsonLine& set(std::string_view member, std::string_view value);
    JsonLine& set(std::string_view member, const std::vector<std::string>& values);
    JsonLine& set_flag(std::string_view member, bool value);
    JsonLine& set_null(std::string_view member);
    // Adds VALUE to the list that object MEMBER has as NAME: {"name":["value",…]}.
    JsonLine& add(std::string_view member, std::string_view name, std::string_view value);
    // Adds the members of OBJECT, without its "v", as one more object of the list MEMBER.
    JsonLine& add_object(std::string_view member, const JsonLine& object);

    // Prints the line and flushes, because a reader may be waiting for it.
    void print() const;
    // The line, with its line feed.
    [[nodiscard]] std::string text() const;

  private:
    JsonLine& set_signed(std::string_view member, std::int64_t value);
    JsonLine& set_unsigned(std::string_view member, std::uint64_t value);

    struct Object;
    std::unique_ptr<Object> object_;
};

// TEXT as a JSON string, in quotes. For output of many thousands of lines.
[[nodiscard]] std::string json_string(std::string_view text);

// The members of the JSON object TEXT, each of which is a string or a list of strings; a single
// string becomes a list of one. Nothing for any other TEXT.
[[nodiscard]] std::optional<std::map<std::string, std::vector<std::string>>>
json_texts(std::string_view text);

} // namespace ipcbox::cli
