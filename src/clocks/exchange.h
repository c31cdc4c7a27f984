// One question and its outcome, over TCP, TLS or UDP.
#pragma once

#include "clocks/reading.h"

#include <cstddef>
#include <string>

namespace ipcbox::clocks {

struct Exchange {
    enum class Outcome {
        answered,  // as completely as it will be
        paused,    // this may be the whole answer; stop() returns it if no more comes
        malformed, // a datagram that answers nothing; the exchange goes on
        failed     // with ERROR or PROBLEM
    };

    std::size_t number = 0; // the caller's
    Outcome outcome = Outcome::answered;
    std::string bytes; // what came
    Timing timing;     // of its first byte
    int error = 0;     // errno; 0 when PROBLEM has the reason
    std::string problem{};
};

// The reason of a failure in the rows, for an errno value: "refused", "host unreachable".
[[nodiscard]] std::string failure_words(int error);

} // namespace ipcbox::clocks
