#include "front/family_options.h"

namespace ipcbox::front {

void declare(cli::Options& options, FamilyOptions& into) {
    options.flag("-4,--ipv4", into.four, "only IPv4");
    options.flag("-6,--ipv6", into.six, "only IPv6");
}

net::Family family_of(const FamilyOptions& options) {
    if (options.four && options.six) throw cli::UsageError("-4 and -6 exclude each other");
    return options.four ? net::Family::ipv4 : options.six ? net::Family::ipv6 : net::Family::any;
}

} // namespace ipcbox::front
