// The person at our terminal takes part in a talk (expect/talk.h).
#pragma once

#include "expect/pattern.h"
#include "expect/talk.h"

#include <functional>

namespace ipcbox::expect {

// Types the bytes of standard input, until the peer ends or the typed text matches ESCAPE, if that
// is not null. The keys that match are not typed. At the end of the input, its end is typed. On a
// terminal, a program gets each key, and a server gets each line. A CONT has to interrupt the talk:
// the terminal gets its mode again then. Throws SysError, and what the talk's listener throws.
enum class InteractionEnd { peer, escape };
InteractionEnd interact(Talk& talk, const Pattern* escape);

} // namespace ipcbox::expect
