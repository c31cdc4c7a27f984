#include "expect/secrets.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>

namespace ipcbox::expect {
namespace {

std::string in_pieces(Secrets secrets, std::string_view text, std::size_t size) {
    std::string shown;
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
        shown += secrets.next(text.substr(0, size));
    return shown + secrets.finish();
}

TEST_CASE("a secret is masked, in pieces of any size") {
    Secrets secrets;
    secrets.add("s3cret");
    secrets.add("s3");
    secrets.add("");
    for (std::size_t size = 1; size < 20; ++size)
        CHECK(in_pieces(secrets, "a s3cret, s3creT!", size) == "a ********, ********creT!");
    CHECK(secrets.masked("s3cret\r") == "********\r");
}

TEST_CASE("the beginning of a secret waits for what follows") {
    Secrets secrets;
    secrets.add("password");
    CHECK(secrets.next("the pass") == "the ");
    CHECK(secrets.next("age") == "passage");
    CHECK(secrets.next("passwor") == "");
    CHECK(secrets.finish() == "********");
    CHECK(secrets.next("pa") == "");
    CHECK(secrets.finish() == "pa");
}

TEST_CASE("a secret that begins a longer one is masked at the end") {
    Secrets secrets;
    secrets.add("s3");
    secrets.add("s3cret");
    CHECK(secrets.next("s3") == "");
    CHECK(secrets.finish() == "********");
    CHECK(secrets.next("s3cre") == "");
    CHECK(secrets.next("x") == "********crex");
}

TEST_CASE("a prompt for a password is known by its words") {
    CHECK(asks_for_secret("Password: "));
    CHECK(asks_for_secret("Enter PIN: "));
    CHECK(asks_for_secret("passphrase for key"));
    CHECK(!asks_for_secret("Command? "));
}

TEST_CASE("without secrets nothing is held back") {
    CHECK(Secrets{}.next("text") == "text");
}

} // namespace
} // namespace ipcbox::expect
