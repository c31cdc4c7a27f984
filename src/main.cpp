// The applet table and dispatch; nothing else.
#include "applet.h"
#include "cli/multicall.h"

#include <algorithm>
#include <array>

namespace ipcbox {

#define APPLET(name, group, descriptor) extern const Applet descriptor;
#include "applets.inc"
#undef APPLET

namespace {

#define APPLET(name, group, descriptor) AppletRow{name, group, &descriptor},
constexpr auto applets = [] {
    std::array table{
#include "applets.inc"
    };
    std::ranges::sort(table, {}, &AppletRow::name);
    return table;
}();
#undef APPLET

static_assert(std::ranges::adjacent_find(applets, {}, &AppletRow::name) == applets.end(),
              "two applets have the same name");

} // namespace

} // namespace ipcbox

int main(int argc, char** argv) {
    return ipcbox::cli::dispatch(ipcbox::applets, {argv, static_cast<std::size_t>(argc)});
}
