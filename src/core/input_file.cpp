#include "core/input_file.h"

#include "core/fd.h"
#include "core/io.h"

#include <fcntl.h>
#include <unistd.h>

namespace ipcbox {

std::string_view input_name(std::string_view name) {
    return name == "-" ? "standard input" : name;
}

std::string read_input(const std::string& name, std::size_t limit) {
    if (name == "-") return read_to_end(STDIN_FILENO, limit, input_name(name));
    return read_to_end(open_file(name, O_RDONLY).get(), limit, name);
}

} // namespace ipcbox
