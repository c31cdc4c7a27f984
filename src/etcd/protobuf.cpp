#include "etcd/protobuf.h"

namespace ipcbox::etcd {

namespace {

constexpr unsigned bits_per_byte = 7;
constexpr unsigned more = 0x80;
constexpr unsigned wire_bits = 3;
constexpr std::uint64_t max_field = (1U << 29U) - 1;

} // namespace

void ProtobufWriter::varint(std::uint64_t value) {
    for (; value >= more; value >>= bits_per_byte)
        bytes_ += static_cast<char>(static_cast<unsigned char>(value | more));
    bytes_ += static_cast<char>(static_cast<unsigned char>(value));
}

ProtobufWriter& ProtobufWriter::number(unsigned field, std::int64_t value) {
    return value == 0 ? *this : explicit_number(field, value);
}

ProtobufWriter& ProtobufWriter::text(unsigned field, std::string_view bytes) {
    return bytes.empty() ? *this : explicit_text(field, bytes);
}

ProtobufWriter& ProtobufWriter::explicit_number(unsigned field, std::int64_t value) {
    varint(std::uint64_t{field} << wire_bits);
    varint(static_cast<std::uint64_t>(value));
    return *this;
}

ProtobufWriter& ProtobufWriter::explicit_text(unsigned field, std::string_view bytes) {
    constexpr std::uint64_t delimited = 2;
    varint(std::uint64_t{field} << wire_bits | delimited);
    varint(bytes.size());
    bytes_ += bytes;
    return *this;
}

std::uint64_t ProtobufReader::varint() {
    std::uint64_t value = 0;
    constexpr unsigned value_bits = 64;
    for (unsigned shift = 0; shift < value_bits; shift += bits_per_byte) {
        const auto byte = static_cast<unsigned char>(take(1).front());
        value |= std::uint64_t{byte & (more - 1)} << shift;
        if (byte < more) return value;
    }
    throw MalformedMessage();
}

std::string_view ProtobufReader::take(std::uint64_t size) {
    if (size > rest_.size()) throw MalformedMessage();
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

bool ProtobufReader::next() {
    if (rest_.empty()) return false;
    const auto tag = varint();
    wire_ = static_cast<Wire>(tag & ((1U << wire_bits) - 1));
    if (tag >> wire_bits == 0 || tag >> wire_bits > max_field) throw MalformedMessage();
    field_ = static_cast<unsigned>(tag >> wire_bits);
    switch (wire_) {
    case Wire::varint:
        number_ = varint();
        return true;
    case Wire::delimited:
        text_ = take(varint());
        return true;
    case Wire::fixed64:
        (void)take(sizeof(std::uint64_t));
        return true;
    case Wire::fixed32:
        (void)take(sizeof(std::uint32_t));
        return true;
    }
    throw MalformedMessage(); // proto3 has no groups
}

std::int64_t ProtobufReader::number() const {
    if (wire_ != Wire::varint) throw MalformedMessage();
    return static_cast<std::int64_t>(number_);
}

std::string_view ProtobufReader::text() const {
    if (wire_ != Wire::delimited) throw MalformedMessage();
    return text_;
}

ProtobufReader& ProtobufReader::number(unsigned field, std::int64_t& into) {
    if (field == field_) into = number();
    return *this;
}

ProtobufReader& ProtobufReader::flag(unsigned field, bool& into) {
    if (field == field_) into = number() != 0;
    return *this;
}

ProtobufReader& ProtobufReader::text(unsigned field, std::string& into) {
    if (field == field_) into = text();
    return *this;
}

std::int64_t number_in(std::string_view message, unsigned field) {
    std::int64_t value = 0;
    ProtobufReader reader{message};
    while (reader.next())
        reader.number(field, value);
    return value;
}

} // namespace ipcbox::etcd
