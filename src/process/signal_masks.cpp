#include "process/signal_masks.h"

#include "core/number.h"
#include "core/signals.h"

namespace ipcbox::process {

namespace {

// The mask after "NAME:\t" at the beginning of a line.
std::optional<SignalMask> mask_in(std::string_view status, std::string_view name) {
    for (auto at = status.find(name); at != std::string_view::npos;
         at = status.find(name, at + 1)) {
        if (at != 0 && status[at - 1] != '\n') continue;
        auto value = status.substr(at + name.size());
        value = value.substr(0, value.find('\n'));
        if (!value.starts_with(":\t")) continue;
        return parse_signal_mask(value.substr(2));
    }
    return std::nullopt;
}

} // namespace

std::optional<SignalMask> parse_signal_mask(std::string_view text) {
    constexpr int hexadecimal = 16;
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    return whole_number<SignalMask>(text, hexadecimal);
}

std::vector<std::string> names_in(SignalMask mask) {
    constexpr int max_signal = 64;
    std::vector<std::string> names;
    for (int number = 1; number <= max_signal; ++number)
        if (has_signal(mask, number)) names.push_back(signal_name(number));
    return names;
}

std::optional<SignalMasks> parse_signal_masks(std::string_view status) {
    const auto of_thread = mask_in(status, "SigPnd");
    const auto of_process = mask_in(status, "ShdPnd");
    const auto blocked = mask_in(status, "SigBlk");
    const auto ignored = mask_in(status, "SigIgn");
    const auto caught = mask_in(status, "SigCgt");
    if (!of_thread || !of_process || !blocked || !ignored || !caught) return std::nullopt;
    return SignalMasks{*ignored, *caught, *blocked, *of_thread | *of_process};
}

} // namespace ipcbox::process
