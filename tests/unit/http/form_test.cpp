#include "http/form.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::http;

namespace {

// The body of a form. "{file}" stands for the content of a file.
std::string body(std::initializer_list<std::string_view> parts) {
    std::vector<FormPart> form;
    for (const auto part : parts)
        form.push_back(FormPart::parse(part));
    std::string text;
    for (const auto& piece : form_body(form, "B"))
        text += piece.file ? "{" + *piece.file + "}" : piece.text;
    return text;
}

std::string wrong(std::string_view text) {
    try {
        (void)FormPart::parse(text);
        return "right";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

std::string disposition(std::string_view rest) {
    return "--B\r\nContent-Disposition: form-data; name=" + std::string{rest};
}

} // namespace

TEST_CASE("a form has its parts between boundaries") {
    CHECK(body({}) == "--B--\r\n");
    CHECK(body({"a=1", "b="}) ==
          disposition("\"a\"\r\n\r\n1\r\n") + disposition("\"b\"\r\n\r\n\r\n--B--\r\n"));
    CHECK(body({"f=@dir/x.txt"}) ==
          disposition("\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n"
                      "{dir/x.txt}\r\n--B--\r\n"));
    CHECK(body({"f=<x.txt"}) == disposition("\"f\"\r\n\r\n{x.txt}\r\n--B--\r\n"));
    CHECK(body({"f=@-"}) == disposition("\"f\"; filename=\"-\"\r\n\r\n{-}\r\n--B--\r\n"));
    CHECK(body({"a=x=y&z"}) == disposition("\"a\"\r\n\r\nx=y&z\r\n--B--\r\n"));
}

TEST_CASE("a part has a type, a file name and header lines of its own") {
    CHECK(body({"f=@x;type=a/b;filename=y.png"}) ==
          disposition("\"f\"; filename=\"y.png\"\r\nContent-Type: a/b\r\n\r\n{x}\r\n--B--\r\n"));
    CHECK(body({"f=@x;filename=y.png"}).find("image/png") != std::string::npos);
    CHECK(body({"f=@x.JPEG"}).find("image/jpeg") != std::string::npos);
    CHECK(body({"a=1;type=text/html; charset=utf-8;headers=\"X-A: b\""}) ==
          disposition("\"a\"\r\nContent-Type: text/html; charset=utf-8\r\nX-A: b\r\n\r\n1\r\n"
                      "--B--\r\n"));
    CHECK(body({"a=1;filename=n"}) == disposition("\"a\"; filename=\"n\"\r\n\r\n1\r\n--B--\r\n"));
}

TEST_CASE("quotes keep special characters, and a name cannot end its line") {
    CHECK(body({"a=\"x;y\""}) == disposition("\"a\"\r\n\r\nx;y\r\n--B--\r\n"));
    CHECK(body({R"(f=@"a;b\"c\\d,e")"}) ==
          disposition("\"f\"; filename=\"a;b%22c\\d,e\"\r\nContent-Type: "
                      "application/octet-stream\r\n\r\n{a;b\"c\\d,e}\r\n--B--\r\n"));
    CHECK(body({"a\r\nb\"=1"}) == disposition("\"a%0D%0Ab%22\"\r\n\r\n1\r\n--B--\r\n"));
    CHECK(body({"a=\"open"}) == disposition("\"a\"\r\n\r\n\"open\r\n--B--\r\n"));
    const auto plain = FormPart::parse_plain("a=@x;type=b");
    CHECK(plain.content.text == "@x;type=b");
    CHECK_FALSE(plain.content.file);
}

TEST_CASE("a part that cannot be sent as meant is refused") {
    CHECK(wrong("nothing") == "expected NAME=CONTENT");
    CHECK(wrong("=x") == "expected NAME=CONTENT");
    CHECK(wrong("a=x;y").find("--form-string") != std::string::npos);
    CHECK(wrong("a=\"x\"y").find("closing quote") != std::string::npos);
    CHECK(wrong("a=x;type=nonsense").find("text/plain") != std::string::npos);
    CHECK(wrong("a=x;type=a/b\r\nX: y").find("one line") != std::string::npos);
    CHECK(wrong("a=x;headers=\"X: y\r\nZ: 1\"").find("one line") != std::string::npos);
    CHECK(wrong("a=x;encoder=base64").find("not supported") != std::string::npos);
    CHECK(wrong("a=x;headers=@file").find("not supported") != std::string::npos);
    CHECK(wrong("a=@x,y").find("several files") != std::string::npos);
    CHECK(wrong("a=@").find("name of a file") != std::string::npos);
    CHECK(wrong("a=(;type=b/c").find("parts within") != std::string::npos);
}
