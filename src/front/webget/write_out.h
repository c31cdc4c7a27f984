// -w: the text that is printed after each document, in curl's format.
#pragma once

#include "download/target.h"

#include <string>
#include <string_view>

namespace ipcbox::front {

struct WrittenOut {
    std::string out; // for standard output
    std::string err; // what follows %{stderr}
};

// "%{http_code} %{size_download}\n", with curl's names: %{NAME}, %header{NAME}, %% and \n \r \t.
// %{onerror} ends the text for a document without an error, and %{stderr} and %{stdout} say where
// the rest goes. Everything else is printed unchanged. Throws UsageError for a name that does not
// exist.
[[nodiscard]] WrittenOut write_out(std::string_view format, const download::Target& target,
                                   const download::Outcome& outcome);

// Throws the UsageError that write_out() would throw.
void check_format(std::string_view format);

} // namespace ipcbox::front
