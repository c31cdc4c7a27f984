// CLI11 without the streams and the locales of libstdc++. Only cli/options.cpp includes this.
//
// CLI11 composes its messages in string streams, and it could read configuration files. We need
// neither, but anything that mentions a stream links libstdc++'s locales into a static binary: a
// fifth of its size, and a sixth of the pages that a start touches. So while CLI11's headers are
// read, the names of the streams and of the locale mean the two small classes below. The contract
// test checks that no locale comes back.
#pragma once

// All headers that CLI11 includes. They must have been read before the names change.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <exception>
#include <fstream>
#include <functional>
#include <iomanip>
#include <istream>
#include <iterator>
#include <limits>
#include <locale>
#include <map>
#include <memory>
#include <numeric>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/ascii.h"

// <iostream> is left out by its own guard: libstdc++ before GCC 13 plants a static object in every
// file that includes it, whose constructor sets up eight streams before main.
#define _GLIBCXX_IOSTREAM 1 // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

namespace ipcbox::cli::cli11 {

// A string with the stream operations that CLI11 uses. As a file, it is one that cannot be opened.
class Text {
  public:
    Text() = default;
    explicit Text(const std::string&) {}

    [[nodiscard]] std::string str() const { return text_; }
    void str(std::string text) { text_ = std::move(text); }

    template <class T> Text& operator<<(const T& value) {
        if constexpr (std::is_convertible_v<const T&, std::string_view>)
            text_ += std::string_view{value};
        else if constexpr (std::is_same_v<T, char>)
            text_ += value;
        else if constexpr (std::is_integral_v<T>)
            text_ += std::to_string(value);
        return *this;
    }
    Text& operator<<(std::ios_base& (*)(std::ios_base&)) { return *this; } // std::left, for a table
    Text& put(char byte) { return *this << byte; }
    [[nodiscard]] std::streamoff tellp() const { return static_cast<std::streamoff>(text_.size()); }

    // Nothing is read as a number: our values have parsers of their own.
    template <class T> Text& operator>>(T&) { return *this; }
    [[nodiscard]] static bool good() { return false; }
    [[nodiscard]] static bool fail() { return true; }
    Text* rdbuf() { return this; }
    [[nodiscard]] static std::streamsize in_avail() { return 1; }

    // The bytes up to the next SEPARATOR; false when there are no more.
    bool next(std::string& item, char separator) {
        if (next_ >= text_.size()) return false;
        const auto end = std::min(text_.find(separator, next_), text_.size());
        item.assign(text_, next_, end - next_);
        next_ = end + 1;
        return true;
    }

  private:
    std::string text_;
    std::size_t next_ = 0;
};

// Stands for the standard streams, to which CLI11 prints nothing by itself.
extern Text standard_stream;

// Stands for the C locale.
struct Locale {};

} // namespace ipcbox::cli::cli11

namespace std { // NOLINT(cert-dcl58-cpp): CLI11 writes std:: before each of these
using Cli11Text = ipcbox::cli::cli11::Text;
using Cli11Locale = ipcbox::cli::cli11::Locale;
using ipcbox::cli::cli11::standard_stream;
inline bool getline(Cli11Text& from, string& item, char separator) {
    return from.next(item, separator);
}
inline ios_base& no_manipulator(ios_base& base) {
    return base;
}
template <class Char> bool isspace(Char byte, Cli11Locale) {
    return std::isspace(static_cast<unsigned char>(byte)) != 0;
}
inline bool isalpha(char byte, Cli11Locale) {
    return ipcbox::ascii::is_letter(byte);
}
inline char tolower(char byte, Cli11Locale) {
    return ipcbox::ascii::lower(byte);
}
} // namespace std

// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define stringstream Cli11Text
#define ostringstream Cli11Text
#define istringstream Cli11Text
#define ifstream Cli11Text
#define istream Cli11Text
#define ostream Cli11Text
#define cin standard_stream
#define cout standard_stream
#define cerr standard_stream
#define endl no_manipulator
#define flush no_manipulator
#define locale Cli11Locale
#define CLI11_HAS_FILESYSTEM 0 // std::filesystem uses streams
#include <CLI/App.hpp>
#undef stringstream
#undef ostringstream
#undef istringstream
#undef ifstream
#undef istream
#undef ostream
#undef cin
#undef cout
#undef cerr
#undef endl
#undef flush
#undef locale
// NOLINTEND(cppcoreguidelines-macro-usage)

// What <CLI/Formatter.hpp> and <CLI/Config.hpp> would define: help is printed in cli/options.cpp,
// and we have no configuration files.
// NOLINTBEGIN(performance-unnecessary-value-param): CLI11 declares them so
namespace CLI {
inline std::string Formatter::make_group(std::string, bool, std::vector<const Option*>) const {
    return {};
}
inline std::string Formatter::make_positionals(const App*) const {
    return {};
}
inline std::string Formatter::make_groups(const App*, AppFormatMode) const {
    return {};
}
inline std::string Formatter::make_subcommands(const App*, AppFormatMode) const {
    return {};
}
inline std::string Formatter::make_subcommand(const App*) const {
    return {};
}
inline std::string Formatter::make_expanded(const App*) const {
    return {};
}
inline std::string Formatter::make_footer(const App*) const {
    return {};
}
inline std::string Formatter::make_description(const App*) const {
    return {};
}
inline std::string Formatter::make_usage(const App*, std::string) const {
    return {};
}
inline std::string Formatter::make_help(const App*, std::string, AppFormatMode) const {
    return {};
}
inline std::string Formatter::make_option_name(const Option*, bool) const {
    return {};
}
inline std::string Formatter::make_option_opts(const Option*) const {
    return {};
}
inline std::string Formatter::make_option_desc(const Option*) const {
    return {};
}
inline std::string Formatter::make_option_usage(const Option*) const {
    return {};
}
inline std::string ConfigBase::to_config(const App*, bool, bool, std::string) const {
    return {};
}
inline std::vector<ConfigItem> ConfigBase::from_config(std::Cli11Text&) const {
    return {};
}
} // namespace CLI
// NOLINTEND(performance-unnecessary-value-param)
