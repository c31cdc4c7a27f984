// For tests of what a program does when a time limit ends. By then, the program has to have come to
// a certain point, and on a busy machine a short limit can end before that. Such a test runs again
// with a longer limit:
//
//     const auto result = with_time_limit(
//         [&](const std::string& limit) { return scenario.run({"timeout-run", limit, "./job"}); },
//         [&](const Result& result) { return result.out == "the job has begun\n"; });
//     CHECK(result.out == "the job has begun\n");
#pragma once

namespace ipcbox::test {

// Calls RUN with the limits "100ms", "1s" and "10s", until CAME_FAR_ENOUGH accepts the result.
// Returns the last result, accepted or not.
template <class Run, class CameFarEnough>
[[nodiscard]] auto with_time_limit(const Run& run, const CameFarEnough& came_far_enough) {
    auto result = run("100ms");
    for (const char* const limit : {"1s", "10s"}) {
        if (came_far_enough(result)) break;
        result = run(limit);
    }
    return result;
}

} // namespace ipcbox::test
