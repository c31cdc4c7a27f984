#include "dialog/line_marker.h"

#include <fmt/format.h>
#include <iterator>

namespace ipcbox::dialog {

std::string_view LineMarker::finish_line() {
    if (!is_in_line_) return {};
    is_in_line_ = false;
    return "\n";
}

std::string_view LineMarker::mark(std::string_view piece) {
    marked_.clear();
    while (!piece.empty()) {
        if (!is_in_line_) {
            marked_ += prefix_;
            if (numbers_ == Numbers::as_cat)
                fmt::format_to(std::back_inserter(marked_), "{:6}\t", ++count_);
        }
        const auto end = piece.find('\n');
        is_in_line_ = end == std::string_view::npos;
        const auto line = is_in_line_ ? piece : piece.substr(0, end + 1);
        marked_ += line;
        piece.remove_prefix(line.size());
    }
    return marked_;
}

} // namespace ipcbox::dialog
