#include "net/unix_name.h"

#include "core/error.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::net {

UnixName name_to_connect(const Address& address) {
    if (!address.is_long_path()) return {address, {}};
    // Connect through /proc/self/fd, whose link leads to the file itself. This works for names of
    // any length.
    Fd file = open_file(address.host(), O_PATH);
    return {Address::unix_path(fmt::format("/proc/self/fd/{}", file.get())), std::move(file)};
}

Address name_to_bind(const std::string& path, const Fd& directory, const std::string& name) {
    const auto whole = Address::unix_path(path);
    if (!whole.is_long_path()) return whole;
    const auto prefix = fmt::format("/proc/self/fd/{}/", directory.get());
    const auto address = Address::unix_path(prefix + name);
    constexpr std::size_t max_short = 107;
    if (address.is_long_path())
        throw Error(
            fmt::format("cannot listen on {}: the path is long, so the file name can have at most "
                        "{} bytes, but it has {}",
                        path, max_short - prefix.size(), name.size()));
    return address;
}

} // namespace ipcbox::net
