#include "front/common_options.h"

#include <limits>

namespace ipcbox::front {

void declare_user(cli::Options& options, std::optional<cli::Owner>& into) {
    options.value("-u,--user USER[:GROUP]", into, cli::parse_owner,
                  "become this user once the server listens");
}

void declare_notify_fd(cli::Options& options, std::optional<int>& into) {
    options.value("--notify-fd FD", into, cli::number_between(1, std::numeric_limits<int>::max()),
                  "write the ready lines to FD, not to standard error");
}

} // namespace ipcbox::front
