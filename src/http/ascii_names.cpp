// Stands in for parts of libidn2 and libunistring, which libpsl calls for names beyond ASCII. We
// never ask it about such a name, because a Url has only the xn-- form. Debian has no static
// libunistring, and it has 2 MB of tables. So libpsl gets these functions when it is linked
// statically. Each reports a failure.
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
