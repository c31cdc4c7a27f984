// Files of /proc. A process chooses its name, and so a part of their text.
#include "core/process_stat.h"
#include "process/lock_holders.h"
#include "process/signal_masks.h"
#include "require.h"

#include <cstdint>
#include <string>

using namespace ipcbox;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    (void)parse_process_stat(text);
    (void)process::parse_signal_mask(text);
    (void)process::parse_signal_masks(text);
    require(process::lock_holders_in(text, 1, 2).size() <= size);
    // No name is taken for another field.
    const auto stat =
        parse_process_stat("7 (" + text + ") S 1 2 3 0 -1 0 0 0 0 0 4 5 6 7 20 0 8 0 9 0\n");
    require(stat && stat->pid == 7 && stat->name == text && stat->state == 'S' &&
            stat->parent == 1);
    require(stat->group == 2 && stat->session == 3 && stat->threads == 8 && stat->start_ticks == 9);
    const auto name = text.substr(0, text.find('\n'));
    const auto masks = process::parse_signal_masks(
        "Name:\t" + name + "\nSigPnd:\t0\nShdPnd:\t0\nSigBlk:\t1\nSigIgn:\t2\nSigCgt:\t4\n");
    require(masks && masks->blocked == 1 && masks->ignored == 2 && masks->caught == 4);
    return 0;
}
