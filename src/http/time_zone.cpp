#include "http/time_zone.h"

#include "core/ascii.h"

#include <algorithm>

namespace ipcbox::http {

namespace {

using namespace std::chrono;

constexpr TimeZone zones[] = {
    {"UTC", {}},
    {"GMT", {}},
    {"UT", {}},
    {"Z", {}},
    {"EST", {hours{-5}}},
    {"EDT", {hours{-4}}},
    {"CST", {hours{-6}, hours{8}, hours{-5}}, 3}, // America, China, Cuba
    {"CDT", {hours{-5}, hours{-4}}, 2},           // America, Cuba
    {"MST", {hours{-7}}},
    {"MDT", {hours{-6}}},
    {"PST", {hours{-8}, hours{8}}, 2}, // America, the Philippines
    {"PDT", {hours{-7}}},
    {"AKST", {hours{-9}}},
    {"AKDT", {hours{-8}}},
    {"HST", {hours{-10}}},
    {"AST", {hours{-4}}},
    {"WET", {}},
    {"WEST", {hours{1}}},
    {"BST", {hours{1}}},
    {"CET", {hours{1}}},
    {"CEST", {hours{2}}},
    {"MET", {hours{1}}},
    {"MEST", {hours{2}}},
    {"EET", {hours{2}}},
    {"EEST", {hours{3}}},
    {"MSK", {hours{3}}},
    {"IST", {hours{1}, hours{2}, minutes{330}}, 3}, // Ireland, Israel, India
    {"IDT", {hours{3}}},
    {"SAST", {hours{2}}},
    {"PKT", {hours{5}}},
    {"HKT", {hours{8}}},
    {"JST", {hours{9}}},
    {"KST", {hours{9}}},
    {"NZST", {hours{12}}},
    {"NZDT", {hours{13}}},
};

} // namespace

const TimeZone* find_time_zone(std::string_view name) {
    const auto* const found = std::ranges::find_if(zones, [name](const TimeZone& known) {
        return ascii::same_but_for_case(name, known.name);
    });
    return found != std::end(zones) ? found : nullptr;
}

} // namespace ipcbox::http
