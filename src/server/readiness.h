// Tells the service manager the state of a server: sd_notify(3).
#pragma once

#include <string>

namespace ipcbox::server {

// Sends STATE ("READY=1") to the socket that NOTIFY_SOCKET names. Nothing happens without one, or
// when nobody listens there.
void notify_service_manager(const std::string& state) noexcept;

// The beginning of a reload, with the time that tells it from older ones. READY=1 has to follow
// (systemd.service(5), Type=notify-reload).
void notify_reloading() noexcept;

} // namespace ipcbox::server
