// The proxy of webget and the certificates that it trusts, from the command line and the
// environment.
#pragma once

#include "front/webget/line.h"
#include "http/route.h"

namespace ipcbox::front {

// Throws UsageError for a text that does not name a proxy.
void set_route(const Line& line, http::RouteOptions& route);

} // namespace ipcbox::front
