#include "net/urgent_data.h"

#include "core/syscall.h"

#include <sys/socket.h>

namespace ipcbox::net {

bool is_at_urgent_data(int socket) noexcept {
    return sys::call("sockatmark", ::sockatmark, socket) > 0;
}

} // namespace ipcbox::net
