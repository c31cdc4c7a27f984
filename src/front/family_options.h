// -4 and -6, as all have them who connect to a host.
#pragma once

#include "cli/options.h"
#include "net/resolve.h"

namespace ipcbox::front {

struct FamilyOptions {
    bool four = false;
    bool six = false;
};

void declare(cli::Options& options, FamilyOptions& into);

// What they say. Throws UsageError when both were given.
[[nodiscard]] net::Family family_of(const FamilyOptions& options);

} // namespace ipcbox::front
