#include "http/digest.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

std::string digest(std::string_view algorithm, std::string_view text) {
    Digest made{algorithm};
    made.update(text);
    return made.hex();
}

// The digests of an empty text.
const std::string md5 = "d41d8cd98f00b204e9800998ecf8427e";
const std::string sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const std::string sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string sha384 = "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
                           "274edebfe76f65fbd51ad2f14898b95b";
const std::string sha512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                           "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

std::string found(std::string_view list, std::string_view name) {
    const auto checksum = checksum_in_list(list, name);
    return checksum ? checksum->algorithm + ":" + checksum->hex : "nothing";
}

std::string wrong(std::string_view text) {
    try {
        return "right: " + Checksum::parse(text).hex;
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("digests are those of the standards") {
    // Examples of RFC 1321, section A.5, and FIPS 180-4.
    CHECK(digest("md5", "abc") == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(digest("sha1", "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(digest("SHA256", "abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(digest("md5", "") == md5);
    CHECK(digest("sha1", "") == sha1);
    CHECK(digest("sha256", "") == sha256);
    CHECK(digest("sha384", "") == sha384);
    CHECK(digest("sha512", "") == sha512);
    for (const auto* name : {"", "sha-256", "sha2", "crc32", "sha256 "})
        CHECK_THROWS_WITH_AS(Digest{name}, "expected md5, sha1, sha256, sha384 or sha512",
                             std::invalid_argument);
}

TEST_CASE("a digest comes piece by piece, and begins anew") {
    Digest made{"sha256"};
    const std::string million(1'000'000, 'a');
    for (std::string_view left = million; !left.empty();) {
        const auto piece = left.substr(0, 997);
        made.update(piece);
        left.remove_prefix(piece.size());
    }
    CHECK(made.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(made.hex() == sha256);
    made.update("a");
    Digest copy{made};
    copy.update("bc");
    made.update("bc");
    CHECK(copy.hex() == made.hex());
}

TEST_CASE("a checksum is ALGORITHM:DIGEST") {
    CHECK(Checksum::parse("sha256:" + sha256) == Checksum{"sha256", sha256});
    CHECK(Checksum::parse("MD5:D41D8CD98F00B204E9800998ECF8427E") == Checksum{"md5", md5});
    CHECK(wrong("") == "expected ALGORITHM:DIGEST, such as sha256:e3b0c442…");
    CHECK(wrong(sha256) == "expected ALGORITHM:DIGEST, such as sha256:e3b0c442…");
    CHECK(wrong("crc:00") == "expected md5, sha1, sha256, sha384 or sha512");
    const std::string digits = "expected 64 hexadecimal digits for sha256";
    CHECK(wrong("sha256:") == digits);
    CHECK(wrong("sha256:" + sha1) == digits);
    CHECK(wrong("sha256:" + sha256 + "0") == digits);
    CHECK(wrong("sha256:g" + sha256.substr(1)) == digits);
}

TEST_CASE("lists of every algorithm are read, plain and tagged") {
    const auto list = md5 + "  a\n" + sha1 + " *b\n" + sha256 + "  c c\n" + sha384 + "  d\r\n" +
                      "SHA512 (e (f) = g) = " + sha512 + "\nMD5 (h) = " + md5;
    CHECK(found(list, "a") == "md5:" + md5);
    CHECK(found(list, "b") == "sha1:" + sha1);
    CHECK(found(list, "c c") == "sha256:" + sha256);
    CHECK(found(list, "d") == "sha384:" + sha384);
    CHECK(found(list, "e (f) = g") == "sha512:" + sha512);
    CHECK(found(list, "h") == "md5:" + md5);
    for (const auto* name : {"", "c", " c c", "*b", "e", "f", "H"})
        CHECK(found(list, name) == "nothing");
}

TEST_CASE("a byte order mark before a list of checksums is skipped") {
    CHECK(found("\xef\xbb\xbf" + sha256 + "  a\n" + md5 + "  b\n", "a") == "sha256:" + sha256);
    CHECK(found("\xef\xbb\xbf"
                "MD5 (a) = " +
                    md5,
                "a") == "md5:" + md5);
}

TEST_CASE("the longest digest of a name counts, and of those the first") {
    const auto other = std::string(64, 'A');
    CHECK(found(md5 + "  a\n" + sha256 + "  a\n" + sha1 + "  a\n", "a") == "sha256:" + sha256);
    CHECK(found(other + "  a\n" + sha256 + "  a\n", "a") == "sha256:" + std::string(64, 'a'));
}

TEST_CASE("a name in a list may be escaped or have ./ before it") {
    CHECK(found(sha256 + "  ./a\n", "a") == "sha256:" + sha256);
    CHECK(found(sha256 + "  ./a\n", "./a") == "sha256:" + sha256);
    CHECK(found(sha256 + "  b/a\n", "a") == "nothing");
    CHECK(found(sha256 + "  *a\n", "*a") == "sha256:" + sha256);
    CHECK(found(sha256 + " **a\n", "*a") == "sha256:" + sha256);
    CHECK(found(sha256 + "    a\n", "  a") == "sha256:" + sha256);
    CHECK(found("\\" + sha256 + "  a\\\\b\\nc\\rd\n", "a\\b\nc\rd") == "sha256:" + sha256);
    CHECK(found("\\SHA256 (a\\\\b) = " + sha256 + "\n", "a\\b") == "sha256:" + sha256);
    CHECK(found(sha256 + "  a\\nb\n", "a\\nb") == "sha256:" + sha256); // this name is not escaped
    CHECK(found("\\" + sha256 + "  a\\x\n" + "\\" + sha256 + "  a\\\n", "a\\x") == "nothing");
}

TEST_CASE("a line that is not of a list is skipped") {
    for (const auto& line :
         {std::string{}, "# " + sha256 + "  a", sha256, sha256 + " a", sha256 + "\ta",
          sha256 + "0  a", sha256.substr(1) + "  a", "g" + sha256.substr(1) + "  a",
          "SHA256 (a) = " + sha1, "SHA256(a)= " + sha256, "CRC (a) = " + sha256,
          "SHA256 (a) = g" + sha256.substr(1), " (a) = " + sha256, "SHA256 (a = " + sha256,
          "SHA256 () = " + sha256, "SHA256 () =" + sha256, std::string{"SHA256 ) = (a"}})
        CHECK(found(fmt::format("{0}\n-----BEGIN PGP SIGNATURE-----\n\n{0}", line), "a") ==
              "nothing");
    CHECK(found("", "a") == "nothing");
    CHECK(found(std::string(1000, '\n'), "") == "nothing");
}

TEST_CASE("base64 gives the results of RFC 4648, section 10") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xfb\xff\xfe") == "+//+");
    CHECK(base64(std::string_view{"\0\0\0", 3}) == "AAAA");
}
