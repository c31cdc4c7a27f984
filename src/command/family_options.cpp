#include "command/family_options.h"

namespace ipcbox::command {

void declare(cli::Options& options, FamilyOptions& into) {
    options.flag("-4,--ipv4", into.four, "only IPv4");
    options.flag("-6,--ipv6", into.six, "only IPv6");
}

Family family_of(const FamilyOptions& options) {
    if (options.four && options.six) throw cli::UsageError("-4 and -6 exclude each other");
    return options.four ? Family::ipv4 : options.six ? Family::ipv6 : Family::any;
}

} // namespace ipcbox::command
