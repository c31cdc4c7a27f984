// The wire format of protobuf (protobuf.dev/programming-guides/encoding), as far as etcd's messages
// need it: varints and length-delimited fields. A reader passes over fixed32 and fixed64 fields, so
// that a newer server may send them.
#pragma once

#include "core/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

// Foreign bytes are no message.
class MalformedMessage : public Error {
  public:
    MalformedMessage() : Error("the server sends a message that makes no sense") {}
};

class ProtobufWriter {
  public:
    // Leaves out what proto3 leaves out: 0 and "".
    ProtobufWriter& number(unsigned field, std::int64_t value);
    ProtobufWriter& text(unsigned field, std::string_view bytes);
    // Writes the field whatever it has: a member of a oneof, a repeated field, a message.
    ProtobufWriter& explicit_number(unsigned field, std::int64_t value);
    ProtobufWriter& explicit_text(unsigned field, std::string_view bytes);

    [[nodiscard]] const std::string& bytes() const { return bytes_; }

  private:
    void varint(std::uint64_t value);

    std::string bytes_;
};

// Goes through the fields of a message, and takes those that it is asked for:
//
//     ProtobufReader reader{bytes};
//     while (reader.next())
//         reader.number(3, answer.ttl_s).text(4, answer.error).messages(5, answer.all, decode_one);
//
// All functions throw MalformedMessage. What text() returns points into the message.
class ProtobufReader {
  public:
    explicit ProtobufReader(std::string_view message) : rest_(message) {}

    // Goes on to the next field; false after the last.
    [[nodiscard]] bool next();
    [[nodiscard]] unsigned field() const { return field_; }
    // The value of a varint field.
    [[nodiscard]] std::int64_t number() const;
    // The value of a length-delimited field.
    [[nodiscard]] std::string_view text() const;

    // Takes the value into INTO if the present field is FIELD.
    ProtobufReader& number(unsigned field, std::int64_t& into);
    ProtobufReader& flag(unsigned field, bool& into);
    ProtobufReader& text(unsigned field, std::string& into);
    template <class Part>
    ProtobufReader& message(unsigned field, Part& into, Part (*decode)(std::string_view)) {
        if (field == field_) into = decode(text());
        return *this;
    }
    // A repeated field.
    template <class Part>
    ProtobufReader& messages(unsigned field, std::vector<Part>& into,
                             Part (*decode)(std::string_view)) {
        if (field == field_) into.push_back(decode(text()));
        return *this;
    }

  private:
    enum class Wire : unsigned { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

    [[nodiscard]] std::uint64_t varint();
    [[nodiscard]] std::string_view take(std::uint64_t size);

    std::string_view rest_;
    unsigned field_ = 0;
    Wire wire_ = Wire::varint;
    std::uint64_t number_ = 0;
    std::string_view text_;
};

// The value of a varint field of MESSAGE; 0 when it is left out. Throws MalformedMessage.
[[nodiscard]] std::int64_t number_in(std::string_view message, unsigned field);

} // namespace ipcbox::etcd
