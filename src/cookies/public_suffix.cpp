#include "cookies/public_suffix.h"

#include <libpsl.h>

namespace ipcbox::cookies {

bool is_public_suffix(const std::string& domain) {
    // Loaded at the first question, because most runs have no cookies.
    static const psl_ctx_t* const list = psl_latest(nullptr);
    return list == nullptr || psl_is_public_suffix(list, domain.c_str()) != 0;
}

} // namespace ipcbox::cookies
