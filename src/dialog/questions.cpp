#include "dialog/questions.h"

#include "core/error.h"
#include "core/io.h"

#include <fmt/core.h>
#include <span>
#include <unistd.h>
#include <utility>

namespace ipcbox::dialog {

std::optional<std::string> Questions::next() {
    while (at_ < given_.size()) {
        if (given_[at_] != "-") return given_[at_++];
        if (auto line = next_of_input()) return line;
        ++at_;
    }
    return std::nullopt;
}

std::optional<std::string> Questions::next_of_input() {
    constexpr std::size_t max_line = 1024UL * 1024;
    constexpr std::size_t piece = 4096;
    for (;;) {
        if (const auto end = pending_.find('\n', searched_); end != std::string::npos) {
            auto line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            searched_ = 0;
            return line;
        }
        searched_ = pending_.size();
        if (searched_ > max_line)
            throw Error(fmt::format("cannot ask: a line of standard input is longer than {} bytes",
                                    max_line));
        pending_.resize(searched_ + piece);
        const auto size =
            read_some(STDIN_FILENO, std::as_writable_bytes(std::span{pending_}.subspan(searched_)),
                      "standard input");
        pending_.resize(searched_ + size);
        if (size > 0) continue;
        searched_ = 0;
        if (pending_.empty()) return std::nullopt;
        return std::exchange(pending_, {});
    }
}

} // namespace ipcbox::dialog
