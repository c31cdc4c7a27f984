#include "core/error.h"
#include "core/shell_words.h"

#include <doctest/doctest.h>

using namespace ipcbox;

namespace {

using Words = std::vector<std::string>;

std::string failure(std::string_view text) {
    try {
        (void)shell_words(text);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("blanks part words, however many there are") {
    CHECK(shell_words("a b") == Words{"a", "b"});
    CHECK(shell_words(" \t a \n b ") == Words{"a", "b"});
    CHECK(shell_words("").empty());
    CHECK(shell_words("  ").empty());
}

TEST_CASE("quotes keep what is between them, and may stand inside a word") {
    CHECK(shell_words("'a b'") == Words{"a b"});
    CHECK(shell_words("x'a b'y") == Words{"xa by"});
    CHECK(shell_words("''") == Words{""});
    CHECK(shell_words("a \"\" b") == Words{"a", "", "b"});
    CHECK(shell_words("\"it's\"") == Words{"it's"});
    CHECK(shell_words("'a\\b'") == Words{"a\\b"});
    CHECK(shell_words("'$HOME | *'") == Words{"$HOME | *"});
}

TEST_CASE("a backslash quotes one byte, and in double quotes only what is special there") {
    CHECK(shell_words("a\\ b") == Words{"a b"});
    CHECK(shell_words("\\$x") == Words{"$x"});
    CHECK(shell_words("\"\\$ \\\" \\\\ \\n\"") == Words{"$ \" \\ \\n"});
    CHECK(shell_words("a\\\nb") == Words{"ab"});
}

TEST_CASE("a mistake is reported with its column") {
    CHECK(failure("echo 'a") == "column 6: this ' is not closed");
    CHECK(failure("echo \"a") == "column 6: this \" is not closed");
    CHECK(failure("echo \\") == "column 6: nothing follows this \\");
}

TEST_CASE("an unquoted character on which a shell would act is refused") {
    CHECK(failure("a | b") == "column 3: only a shell can act on this |; quote it");
    for (const char* text :
         {"a;b", "a&", "a<b", "a>b", "(a)", "$a", "`a`", "*", "a?", "~", "#a", "\"$a\"", "\"`a`\""})
        CHECK(failure(text).starts_with("column "));
    CHECK(shell_words("a~ b#c [ ] { } ! = %") ==
          Words{"a~", "b#c", "[", "]", "{", "}", "!", "=", "%"});
}

TEST_CASE("a quoted word is read as this one word again") {
    for (const std::string word : {"", "plain-1.0", "a b", "it's", "$x `y` \"z\"", "\\", "a\nb"}) {
        CAPTURE(word);
        CHECK(shell_words(shell_quoted(word)) == Words{word});
    }
    CHECK(shell_quoted("plain-1.0") == "plain-1.0");
    CHECK(shell_quoted("it's") == R"('it'\''s')");
}
