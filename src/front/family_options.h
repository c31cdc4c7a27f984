// -4 and -6, the same for every applet that connects to a host.
#pragma once

#include "cli/options.h"
#include "net/resolve.h"

namespace ipcbox::front {

struct FamilyOptions {
    bool four = false;
    bool six = false;
};

void declare(cli::Options& options, FamilyOptions& into);

// The family for these options. Throws UsageError when both were given.
[[nodiscard]] net::Family family_of(const FamilyOptions& options);

} // namespace ipcbox::front
