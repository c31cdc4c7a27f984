// A conversation with a server, for tcp-interact. The person's lines go to the server, and the
// server's text is shown at once.
#pragma once

#include "front/client/options.h"
#include "front/client/passage.h"
#include "front/client/reached.h"

#include <string>

namespace ipcbox::front {

struct InteractOptions {
    ClientOptions client;        // of these only the connection, the idle limit, --raw and -v
    PassageOptions passage;      // visible follows from --raw
    char escape = '\x1d';        // ^]; 0: there is none
    bool leaves_editing = false; // to the terminal
    bool forgets = false;        // keeps no history
    bool twin = false;           // with two processes
};

// Talks to SERVER, which is called TARGET, until it ends the connection or the person does. Throws
// SysError when the connection is reset, TimedOut after the idle limit, TlsError, and Error when
// the input cannot be read or sent.
void interact(const InteractOptions& options, const std::string& target, Reached& server);

} // namespace ipcbox::front
