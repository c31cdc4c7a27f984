#include "clocks/exchange.h"

#include "core/error.h"

#include <cerrno>

namespace ipcbox::clocks {

std::string failure_words(int error) {
    switch (error) {
    case ECONNREFUSED:
        return "refused";
    case ECONNRESET:
        return "reset";
    case ETIMEDOUT:
        return "timed out";
    case EHOSTUNREACH:
        return "host unreachable";
    case ENETUNREACH:
        return "network unreachable";
    case EAFNOSUPPORT:
        return "this machine does not speak its protocol family";
    default:
        return std::string{error_text(error)};
    }
}

} // namespace ipcbox::clocks
