// Whether this is a build with the address sanitizer, which reads /proc and takes terabytes of
// address space. A sandbox and a limit on memory do not allow that.
#pragma once

#ifdef __SANITIZE_ADDRESS__
#define IPCBOX_ADDRESS_SANITIZER
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define IPCBOX_ADDRESS_SANITIZER
#endif
#endif
