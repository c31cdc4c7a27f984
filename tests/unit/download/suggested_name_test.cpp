#include "download/suggested_name.h"

#include <doctest/doctest.h>

using ipcbox::download::suggested_file_name;

TEST_CASE("a suggested name is the last part of the server's path") {
    CHECK(suggested_file_name("attachment; filename=report.pdf") == "report.pdf");
    CHECK(suggested_file_name("attachment; filename=\"a report.pdf\"") == "a report.pdf");
    CHECK(suggested_file_name("inline;FileName = \"x;y.txt\" ; size=3") == "x;y.txt");
    CHECK(suggested_file_name("attachment; filename=\"a\\\"b\"") == "a\"b");
    CHECK(suggested_file_name("attachment; filename=plain; filename*=UTF-8''na%C3%AFve.txt") ==
          "na\xc3\xafve.txt");
    CHECK(suggested_file_name("attachment; filename*=iso-8859-1''x; filename=plain") == "plain");
    CHECK(suggested_file_name("attachment; filename=\"C:\\dir\\file.txt\"") == "file.txt");
}

TEST_CASE("a suggested name needs no type before it") {
    CHECK(suggested_file_name("filename=x.txt") == "x.txt");
    CHECK(suggested_file_name("filename=\"x.txt\"; size=3") == "x.txt");
}

TEST_CASE("a suggested name cannot leave its directory or hide") {
    CHECK(suggested_file_name("attachment; filename=\"../../etc/passwd\"") == "passwd");
    CHECK(suggested_file_name("attachment; filename=\"/etc/passwd\"") == "passwd");
    CHECK(suggested_file_name("attachment; filename=.bashrc") == "_bashrc");
    CHECK(suggested_file_name("attachment; filename*=UTF-8''..%2F.profile") == "_profile");
    CHECK(suggested_file_name("attachment; filename=\"a\x01\x7f\"") == "a__");
    for (const auto* none : {"", "attachment", "attachment; filename", "attachment; filename=",
                             "attachment; filename=\"\"", "attachment; filename=..",
                             "attachment; filename=\"dir/\"", "filename=", ";;=;"}) {
        CAPTURE(none);
        CHECK(suggested_file_name(none).empty());
    }
}
