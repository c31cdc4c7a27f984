#include "download/whole.h"

#include "http/failure.h"

#include <fmt/core.h>

namespace ipcbox::download {

Wholeness judge(const Evidence& evidence) {
    if (evidence.total && evidence.here < *evidence.total) return Wholeness::rest_missing;
    if (evidence.total && evidence.here > *evidence.total) return Wholeness::too_long;
    const bool is_checked = evidence.wanted != nullptr && evidence.wanted->has_value();
    if (is_checked && evidence.digest != (*evidence.wanted)->hex)
        throw http::TransferError(fmt::format("the checksum is wrong: the {} is {}, not {}",
                                              (*evidence.wanted)->algorithm, evidence.digest,
                                              (*evidence.wanted)->hex),
                                  http::status::bad_checksum);
    return Wholeness::whole;
}

} // namespace ipcbox::download
