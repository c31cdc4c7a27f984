#include "download/destination.h"

#include "core/io.h"

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
    return http::BodySink::Direct{output_.fd(), output_.name()};
}

void ToOutput::finish() {
    if (filter_) output_.write(number_, filter_({}), deadline_);
}

void ToPart::write(std::string_view bytes) {
    write_all(part_.fd(), bytes, part_.part_name());
    part_.wrote(bytes.size());
}

std::optional<http::BodySink::Direct> ToPart::direct() {
    return http::BodySink::Direct{part_.fd(), part_.part_name()};
}

ToSpecial::ToSpecial(const std::string& name) : name_(name), file_(open_file(name, O_WRONLY)) {}

void ToSpecial::write(std::string_view bytes) {
    write_all(file_.get(), bytes, name_);
}

std::optional<http::BodySink::Direct> ToSpecial::direct() {
    return http::BodySink::Direct{file_.get(), name_};
}

} // namespace ipcbox::download
