// The applet table and dispatch; nothing else.
#include "applet.h"
#include "cli/multicall.h"
#include "cli/version_line.h"
#include "commit.h"

#include <algorithm>
#include <array>
#include <cstdlib>

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

// libstdc++ calls this when an exception escapes. Its own handler prints the demangled name of the
// type, for which it brings 60 KB of demangler. But cli/border.h lets no exception escape.
namespace __gnu_cxx { // NOLINT(cert-dcl37-c,cert-dcl51-cpp,bugprone-reserved-identifier)
void __verbose_terminate_handler();
void __verbose_terminate_handler() {
    std::abort();
}
} // namespace __gnu_cxx

int main(int argc, char** argv) {
    ipcbox::cli::set_version_line(ipcbox::version_line);
    return ipcbox::cli::dispatch(ipcbox::applets, {argv, static_cast<std::size_t>(argc)});
}
