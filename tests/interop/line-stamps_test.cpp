// open3-run beside annotate-output(1) and ts(1): the same command and the same format make the same
// lines. The command waits until a line is printed before it writes the next one elsewhere, so both
// tools see its lines in the order in which it wrote them.
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

// For sh(1): waits until a line of the file "out" matches. The first line there is the command
// line, so the expression must not match itself.
std::string until_printed(const std::string& expression) {
    return "; until grep -q '" + expression + "' out; do :; done; ";
}

const std::vector<std::string> scripts{
    ":",
    "echo a",
    "echo a" + until_printed("O: [a]") + "echo b >&2" + until_printed("E: [b]") + "echo c; exit 3",
    "printf '%s\\n' '' '  spaces  ' 'back\\\\slash' '%d %s' \"quote'\"",
    "printf 'tab\\there\\r\\n'" + until_printed("O: [t]ab") + "printf 'no UTF-8: \\377\\n' >&2",
    "exec >&- 2>&-; exit 9",
    "kill -TERM $$",
    "head -c 50000 /dev/zero | tr '\\0' x; echo",
};

// The result of TOOL with OPTIONS for the script. Its output goes to the file "out".
Result stamped(Scenario& scenario, const std::string& tool, const Words& options,
               const std::string& script) {
    Words words{tool};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"sh", "-c", script});
    auto result = scenario.shell("exec \"$@\" >out", words);
    result.out = scenario.read_file("out");
    return result;
}

// TEXT with each digit replaced, because the times differ.
std::string masked(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char digit) { return digit >= '0' && digit <= '9'; }, '0');
    return text;
}

void compare(const std::string& format) {
    Scenario scenario;
    for (const auto& script : scripts) {
        CAPTURE(script);
        const auto theirs = stamped(scenario, "annotate-output", {format}, script);
        const auto ours = stamped(scenario, "open3-run", {format}, script);
        CHECK(ours.status == theirs.status);
        CHECK(ours.out == theirs.out);
    }
}

} // namespace

TEST_CASE("open3-run prints what annotate-output prints") {
    compare("+x");
    compare("+");
    compare("+%Y %% %^B"); // date(1) prints the same during the whole test
}

TEST_CASE("open3-run uses the default format of annotate-output") {
    Scenario scenario;
    const auto lines = [&](const std::string& tool) {
        const auto script = "echo a" + until_printed("O: [a]") + "echo b >&2";
        return masked(stamped(scenario, tool, {}, script).out);
    };
    CHECK(lines("open3-run") == lines("annotate-output"));
}

TEST_CASE("open3-run stamps lines as ts does") {
    Scenario scenario;
    for (const auto* const options :
         {"+%Y", "-s", "-i", "-s -m", "-i +%.s", "-s +%.S", "-m +%Y", "+%.T"}) {
        CAPTURE(options);
        const auto result =
            scenario.shell("for word in $1; do case $word in +*) theirs=\"$theirs ${word#+}\";; "
                           "*) theirs=\"$theirs $word\";; esac; done\n"
                           "printf 'a\\n\\nb c\\n' | ts $theirs\n"
                           "open3-run -q $1 -- printf 'a\\n\\nb c\\n' | sed 's/ O: / /'",
                           {options});
        CHECK(result.err.empty());
        const auto both = masked(result.out);
        const auto half = both.size() / 2;
        CHECK(both.substr(0, half) == both.substr(half));
    }
}
