// Highlights parts of a help text for a person at a terminal.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox::cli {

// Only terminals get colours. A user turns them off with a non-empty NO_COLOR (no-color.org), and a
// terminal without colours has TERM=dumb.
class Style {
  public:
    static Style none() { return Style{false}; }
    static Style for_output(int fd);

    // The title of a section.
    [[nodiscard]] std::string title(std::string_view text) const { return painted(text, "1"); }
    // The name of an applet or an option.
    [[nodiscard]] std::string name(std::string_view text) const { return painted(text, "36"); }

  private:
    explicit Style(bool is_coloured) : is_coloured_(is_coloured) {}
    // CODE is a parameter of "Select Graphic Rendition" (ECMA-48, 8.3.117).
    [[nodiscard]] std::string painted(std::string_view text, std::string_view code) const;

    bool is_coloured_;
};

} // namespace ipcbox::cli
