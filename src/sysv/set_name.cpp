#include "sysv/set_name.h"

#include <algorithm>

namespace ipcbox::sysv {

namespace {

constexpr unsigned bits_per_word = 15;
constexpr unsigned bits_per_byte = 8;
constexpr unsigned mark = 0x4900; // with a length of at most 37, below SEMVMX
constexpr unsigned length_mask = 0xff;

} // namespace

std::array<std::uint16_t, set_name_words> set_name_of(std::string_view name) {
    std::array<std::uint16_t, set_name_words> words{};
    if (name.size() > max_set_name) name = {};
    words[0] = static_cast<std::uint16_t>(mark | name.size());
    for (unsigned bit = 0; bit < name.size() * bits_per_byte; ++bit) {
        const auto byte = static_cast<unsigned char>(name[bit / bits_per_byte]);
        const unsigned value = (byte >> (bit % bits_per_byte)) & 1U;
        words[1 + bit / bits_per_word] |= static_cast<std::uint16_t>(value << bit % bits_per_word);
    }
    return words;
}

bool is_set_name(std::span<const unsigned short> words) {
    return words.size() == set_name_words && (words[0] & ~length_mask) == mark &&
           (words[0] & length_mask) <= max_set_name;
}

std::string text_of_set_name(std::span<const unsigned short> words) {
    std::string name(words[0] & length_mask, '\0');
    for (unsigned bit = 0; bit < name.size() * bits_per_byte; ++bit) {
        const unsigned value = (words[1 + bit / bits_per_word] >> (bit % bits_per_word)) & 1U;
        auto& byte = name[bit / bits_per_byte];
        byte = static_cast<char>(static_cast<unsigned char>(byte) | value << bit % bits_per_byte);
    }
    return name;
}

} // namespace ipcbox::sysv
