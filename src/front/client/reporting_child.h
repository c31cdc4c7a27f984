// A child whose failure is ours: it prints nothing, and its parent throws what it threw.
#pragma once

#include "core/child.h"
#include "core/fd.h"

#include <functional>

namespace ipcbox::front {

class ReportingChild {
  public:
    // Does WORK in a child, which ends when we end. Throws SysError.
    explicit ReportingChild(const std::function<void()>& work);

    // Readable once the child has ended, or is about to. Not its pidfd, which a child may lack.
    [[nodiscard]] int fd() const { return report_.get(); }
    // Waits for the end of the child. Throws the Error with which WORK failed; what a signal did is
    // an error too.
    void finish();
    // Ends the child by TERM. A failure at the same time does not count.
    void stop();

  private:
    Child child_;
    Fd report_; // the reason of a failure comes from here
};

} // namespace ipcbox::front
