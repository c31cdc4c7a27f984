#include "core/random.h"

#include "core/error.h"
#include "core/syscall.h"

#include <sys/random.h>

namespace ipcbox {

std::uint64_t RandomNumbers::next() {
    if (left_ == 0) {
        if (sys::call("getrandom", ::getrandom, static_cast<void*>(stock_.data()), sizeof stock_,
                      0U) < 0)
            throw SysError("get", "random numbers");
        left_ = stock_.size();
    }
    return stock_[--left_];
}

} // namespace ipcbox
