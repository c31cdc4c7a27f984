// The process that a token of a cluster is kept for (sem-take --etcd --hold-for).
#pragma once

#include "core/fd.h"
#include "process/tree.h"

#include <vector>

namespace ipcbox::front {

class HeldProcess {
  public:
    // One that is not there any more has ended. Throws Error when it cannot be watched.
    explicit HeldProcess(const process::Root& process);

    // A zombie has ended.
    [[nodiscard]] bool has_ended() const;
    // Those that still exist of the process and of its descendants, as they were at the first call:
    // a descendant that has lost its parent since then is still one of them.
    [[nodiscard]] const std::vector<process::Root>& family();

  private:
    process::Root process_;
    Fd handle_; // none: it is not there
    std::vector<process::Root> family_;
};

} // namespace ipcbox::front
