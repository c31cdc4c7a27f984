// Telling whoever started a server that it can take clients, or that it ends (sd_notify(3)).
#pragma once

#include <string>

namespace ipcbox::server {

// Sends STATE ("READY=1") to the socket that NOTIFY_SOCKET names. Nothing happens without one, or
// when nobody listens there.
void notify_service_manager(const std::string& state) noexcept;

} // namespace ipcbox::server
