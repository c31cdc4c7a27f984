// The person at our terminal takes part in a talk (dialog/talk.h).
#pragma once

#include "dialog/pattern.h"
#include "dialog/talk.h"

#include <functional>

namespace ipcbox::dialog {

// Types what comes from standard input, until the peer ends or what was typed matches ESCAPE, if
// that is not null. The keys that match are not typed. Where the input ends, its end is typed. On a
// terminal, a program gets each key, and a server each line. Throws SysError, and what the talk's
// listener throws.
enum class InteractionEnd { peer, escape };
InteractionEnd interact(Talk& talk, const Pattern* escape);

} // namespace ipcbox::dialog
