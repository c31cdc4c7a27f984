// Makes the start of a thread fail, as if the system had no thread for us. The C++ library starts
// threads without passing the core's call point. So the twin is linked with --wrap=pthread_create
// (ld(1)), and the library's call comes here.
#include "core/syscall.h"

#include <pthread.h>

extern "C" {
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*),
                          void* argument) {
    const auto fault = ipcbox::sys::detail::next_fault("pthread_create", {});
    return fault.error != 0 ? fault.error
                            : __real_pthread_create(thread, attributes, work, argument);
}
}
