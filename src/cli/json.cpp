// The one file that includes nlohmann/json.
#include "cli/json.h"

#include "cli/output.h"

#include <nlohmann/json.hpp>

namespace ipcbox::cli {

using nlohmann::ordered_json;

struct JsonLine::Object {
    ordered_json members;
};

JsonLine::JsonLine() : object_(std::make_unique<Object>()) {
    set("v", 1);
}

JsonLine::~JsonLine() = default;

JsonLine& JsonLine::set_signed(std::string_view member, std::int64_t value) {
    object_->members[std::string{member}] = value;
    return *this;
}

JsonLine& JsonLine::set_unsigned(std::string_view member, std::uint64_t value) {
    object_->members[std::string{member}] = value;
    return *this;
}

JsonLine& JsonLine::set(std::string_view member, double value) {
    object_->members[std::string{member}] = value;
    return *this;
}

JsonLine& JsonLine::set(std::string_view member, std::string_view value) {
    object_->members[std::string{member}] = value;
    return *this;
}

JsonLine& JsonLine::set(std::string_view member, const std::vector<std::string>& values) {
    object_->members[std::string{member}] = values;
    return *this;
}

JsonLine& JsonLine::set_flag(std::string_view member, bool value) {
    object_->members[std::string{member}] = value;
    return *this;
}

JsonLine& JsonLine::set_null(std::string_view member) {
    object_->members[std::string{member}] = nullptr;
    return *this;
}

JsonLine& JsonLine::add(std::string_view member, std::string_view name, std::string_view value) {
    object_->members[std::string{member}][std::string{name}].push_back(value);
    return *this;
}

JsonLine& JsonLine::add_object(std::string_view member, const JsonLine& object) {
    auto members = object.object_->members;
    members.erase("v");
    object_->members[std::string{member}].push_back(std::move(members));
    return *this;
}

std::string JsonLine::text() const {
    constexpr auto replace = ordered_json::error_handler_t::replace;
    return object_->members.dump(-1, ' ', false, replace) + '\n';
}

std::string json_string(std::string_view text) {
    constexpr auto replace = ordered_json::error_handler_t::replace;
    return ordered_json(text).dump(-1, ' ', false, replace);
}

void JsonLine::print() const {
    cli::print(text());
    flush();
}

std::optional<std::map<std::string, std::vector<std::string>>> json_texts(std::string_view text) {
    const auto object = ordered_json::parse(text, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    std::map<std::string, std::vector<std::string>> members;
    for (const auto& [name, value] : object.items()) {
        auto& texts = members[name];
        const auto& list = value.is_array() ? value : ordered_json::array({value});
        for (const auto& element : list) {
            if (!element.is_string()) return std::nullopt;
            texts.push_back(element.get<std::string>());
        }
    }
    return members;
}

} // namespace ipcbox::cli
