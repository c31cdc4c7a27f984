#include "download/part_name.h"

#include "core/random.h"

#include <climits>
#include <cstdint>
#include <fmt/core.h>

namespace ipcbox::download {

namespace {

constexpr std::string_view part_ending = ".part";
constexpr std::string_view state_ending = ".state";

std::string text_of(std::uint64_t number) {
    return fmt::format("{:012x}", number & 0xffffffffffffU);
}

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

} // namespace

PartNames part_names(const std::string& file, std::string_view tail) {
    const auto slash = file.rfind('/');
    const auto begin = slash == std::string::npos ? 0 : slash + 1;
    auto size = file.size() - begin;
    const auto max_size = NAME_MAX - 1 - tail.size() - state_ending.size();
    if (size > max_size) {
        size = max_size;
        while (size > 0 && continues_character(file[begin + size]))
            --size;
    }
    const auto stem = fmt::format("{}.{}", std::string_view{file}.substr(0, begin + size), tail);
    return {fmt::format("{}{}", stem, part_ending), fmt::format("{}{}", stem, state_ending)};
}

// FNV-1a with a start value of our own, so that no other program derives the same tail from a name.
std::string tail_for(std::string_view file) {
    std::uint64_t hash = 0x697063626f780001U;
    for (const char byte : file.substr(file.rfind('/') + 1)) { // npos + 1 is 0
        hash ^= static_cast<unsigned char>(byte);
        hash *= 0x100000001b3U;
    }
    return text_of(hash ^ (hash >> 48U));
}

std::string random_tail() {
    return text_of(RandomNumbers{}.next());
}

} // namespace ipcbox::download
