// The name under which a set was created, stored in semaphores of the set itself, because the key
// is a hash from which the name cannot be found. A semaphore has 15 bits (semop(2), SEMVMX). The
// first one says that this is a name and how long it is, and the others have its bits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::sysv {

inline constexpr int set_name_words = 21;
inline constexpr std::size_t max_set_name = 37; // bytes

// The semaphores for NAME. A name that is too long is left out.
[[nodiscard]] std::array<std::uint16_t, set_name_words> set_name_of(std::string_view name);

// Whether WORDS are the semaphores of a name, or of one that was left out.
[[nodiscard]] bool is_set_name(std::span<const unsigned short> words);

// The name; empty when it was left out. WORDS are such semaphores. Any process that may use the set
// can change them, so the label of the key has to prove the name.
[[nodiscard]] std::string text_of_set_name(std::span<const unsigned short> words);

} // namespace ipcbox::sysv
