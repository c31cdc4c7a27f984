// Which proxy webget goes through, and which certificates it trusts: from the command line and the
// environment.
#pragma once

#include "front/webget/line.h"
#include "http/route.h"

namespace ipcbox::front {

// Throws UsageError for a proxy that is none.
void set_route(const Line& line, http::RouteOptions& route);

} // namespace ipcbox::front
