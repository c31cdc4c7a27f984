// The main of every test program. One whose filter matches no test fails: a misspelt name must not
// look like a success.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

namespace {

unsigned matching_tests = 0;

struct Counter : doctest::IReporter {
    explicit Counter(const doctest::ContextOptions& /*unused*/) {}

    void test_run_end(const doctest::TestRunStats& statistics) override {
        matching_tests = statistics.numTestCasesPassingFilters;
    }

    void report_query(const doctest::QueryData& /*unused*/) override {}
    void test_run_start() override {}
    void test_case_start(const doctest::TestCaseData& /*unused*/) override {}
    void test_case_reenter(const doctest::TestCaseData& /*unused*/) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& /*unused*/) override {}
    void test_case_exception(const doctest::TestCaseException& /*unused*/) override {}
    void subcase_start(const doctest::SubcaseSignature& /*unused*/) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& /*unused*/) override {}
    void log_message(const doctest::MessageData& /*unused*/) override {}
    void test_case_skipped(const doctest::TestCaseData& /*unused*/) override {}
};

REGISTER_LISTENER("counter", 1, Counter);

} // namespace

int main(int argc, char** argv) {
    const int status = doctest::Context{argc, argv}.run();
    return status != 0 ? status : matching_tests == 0 ? 1 : 0;
}
