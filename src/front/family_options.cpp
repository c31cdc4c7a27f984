#include "front/family_options.h"

namespace ipcbox::front {

void declare(cli::Options& options, FamilyOptions& into) {
    options.flag("-4,--ipv4", into.four, "use IPv4 only");
    options.flag("-6,--ipv6", into.six, "use IPv6 only");
}

net::Family family_of(const FamilyOptions& options) {
    if (options.four && options.six) throw cli::UsageError("-4 and -6 cannot be combined");
    return options.four ? net::Family::ipv4 : options.six ? net::Family::ipv6 : net::Family::any;
}

} // namespace ipcbox::front
