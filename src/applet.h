// Each applet's file ends with its description. Its name and its group are in applets/meson.build,
// which makes a row of the table from them.
#pragma once

#include <span>
#include <string_view>

namespace ipcbox {

// How an applet was called.
struct Invocation {
    std::string_view name;
    std::string_view summary;
    std::span<char* const> arguments; // without the name
};

struct Applet {
    std::string_view summary; // one line, as in the NAME section of its man page
    int (*run)(const Invocation&);
};

struct AppletRow {
    std::string_view name;
    std::string_view group;
    const Applet* applet;
};

} // namespace ipcbox
