// libpsl calls libidn2 and libunistring for names beyond ASCII. It is never asked about one (a Url
// has names in their xn-- form only), and Debian has no static libunistring: 2 MB of tables. Linked
// statically, libpsl therefore gets these functions, each of which reports a failure.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {

// <idn2.h>; IDN2_ENCODING_ERROR
int idn2_lookup_u8(const std::uint8_t* /*source*/, std::uint8_t** /*result*/, int /*flags*/) {
    constexpr int encoding_error = -200;
    return encoding_error;
}

// <unistr.h>, <unicase.h>, <uninorm.h>
extern const void* const uninorm_nfkc;
const void* const uninorm_nfkc = nullptr;

std::size_t u8_strlen(const std::uint8_t* /*text*/) {
    return 0;
}

std::uint8_t* u8_tolower(const std::uint8_t* /*text*/, std::size_t /*size*/,
                         const char* /*language*/, const void* /*normalization*/,
                         std::uint8_t* /*buffer*/, std::size_t* /*result_size*/) {
    return nullptr;
}
}
