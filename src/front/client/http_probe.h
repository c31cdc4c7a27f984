// Whether a server that has been reached answers over HTTP, for --http.
#pragma once

#include "front/client/reached.h"

namespace ipcbox::front {

// Asks for PATH, with TARGET as the Host, and reads the head of the answer. The connection cannot
// be used after that. Throws Unreachable when its status is 400 or more, or when there is no
// answer; Error for an answer that is not HTTP; TimedOut.
void expect_http_answer(Reached& server, const std::string& target, const std::string& path,
                        Deadline deadline);

} // namespace ipcbox::front
