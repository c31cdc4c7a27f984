#include "download/destination.h"

#include "core/io.h"
#include "download/place.h"

#include <fcntl.h>

namespace ipcbox::download {

void ToOutput::write(std::string_view bytes) {
    written_ += bytes.size();
    if (filter_)
        output_.write(number_, filter_(bytes), deadline_);
    else
        output_.write(number_, bytes, deadline_);
}

std::optional<http::BodySink::Direct> ToOutput::direct() {
    if (filter_ || !output_.flush(number_, deadline_)) return std::nullopt;
    return Direct{output_.fd(), output_.name()};
}

void ToOutput::finish() {
    if (filter_) output_.write(number_, filter_({}), deadline_);
}

void ToPart::write(std::string_view bytes) {
    write_all(part_.fd(), bytes, part_.part_name());
    part_.wrote(bytes.size());
}

std::optional<http::BodySink::Direct> ToPart::direct() {
    return Direct{part_.fd(), part_.part_name()};
}

ToSpecial::ToSpecial(const std::string& name) : name_(name), fd_(-1) {
    if (const auto number = descriptor_named(name)) {
        fd_ = *number;
        return;
    }
    file_ = open_file(name, O_WRONLY);
    fd_ = file_.get();
}

void ToSpecial::write(std::string_view bytes) {
    write_all(fd_, bytes, name_);
}

std::optional<http::BodySink::Direct> ToSpecial::direct() {
    return Direct{fd_, name_};
}

} // namespace ipcbox::download
