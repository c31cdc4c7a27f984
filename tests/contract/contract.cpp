#include "contract/contract.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/program.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdexcept>

namespace ipcbox::test {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string{name} + " is not set");
    return value;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const auto piece = text.substr(0, text.find(separator));
        text.remove_prefix(std::min(piece.size() + 1, text.size()));
        if (!piece.empty()) pieces.emplace_back(piece);
    }
    return pieces;
}

std::vector<std::string> lines(std::string_view text) {
    return split(text, '\n');
}

bool is_one_line(std::string_view text) {
    return text.size() > 1 && text.find('\n') == text.size() - 1;
}

std::string file_text(const std::string& path) {
    constexpr std::size_t limit = 1UL << 20U;
    return read_to_end(open_file(path, O_RDONLY).get(), limit, path);
}

bool can_run(const std::string& program) {
    try {
        (void)find_program(program);
        return true;
    } catch (const Error&) {
        const bool in_ci = std::getenv("CI") != nullptr;
        CHECK_MESSAGE(!in_ci, "CI has to have ", program);
        MESSAGE("skipped, there is no ", program);
        return false;
    }
}

} // namespace ipcbox::test
